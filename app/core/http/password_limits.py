"""Rate limits of password attempts.

Attempts from one address are counted together. Attempts at one account are also counted by account and origin: an
address, or a device that has logged in to the account before. So an attacker locks out only themselves. Attempts at one
account from many addresses meet a much looser limit, from which known devices are exempt.
"""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any, TypeVar, cast

from flask import Response, request
from flask_limiter import Limiter

from app.core.http.devices import Devices
from app.core.network import network_of
from app.core.settings import Settings
from app.core.text import normalise_email

View = TypeVar("View", bound=Callable[..., Any])
Key = Callable[[], str]

CURRENT_PASSWORD = frozenset({"current_password", "password"})
"""Body fields that hold it, in requests that confirm a change by the password."""


class PasswordLimits:
    """Decorators for the views that hash a password.

    Args:
        limiter: counts the attempts.
        settings: the limits.
        devices: recognises the known devices of an account.
        caller: returns the counter key of the authenticated user.
    """

    def __init__(self, limiter: Limiter, settings: Settings, devices: Devices, caller: Key) -> None:
        self._limiter = limiter
        self._settings = settings
        self._devices = devices
        self._caller = caller

    def log_ins(self, view: View) -> View:
        """Limit failed log-ins."""
        pair = self._limiter.limit(
            self._settings.rate_limit_login, key_func=self._account_and_origin, deduct_when=_unauthorised
        )
        account = self._limiter.limit(
            self._settings.rate_limit_login_account,
            key_func=account_key,
            deduct_when=_unauthorised,
            exempt_when=lambda: self._device() is not None,
        )
        return cast(View, self._of_address(pair(account(view))))

    def registrations(self, view: View) -> View:
        """Limit registrations of one e-mail address."""
        pair = self._limiter.limit(self._settings.rate_limit_register, key_func=self._account_and_origin)
        return cast(View, self._of_address(pair(view)))

    def current(self, view: View) -> View:
        """Limit wrong current passwords of the authenticated user, over all operations that ask for one."""
        pair = self._limiter.shared_limit(
            self._settings.rate_limit_login,
            scope="current-password",
            key_func=lambda: f"{self._caller()}|{address_key()}",
            deduct_when=_wrong_password,
        )
        account = self._limiter.shared_limit(
            self._settings.rate_limit_login_account,
            scope="current-password",
            key_func=self._caller,
            deduct_when=_wrong_password,
        )
        return cast(View, self._of_address(pair(account(view))))

    def resets(self, view: View) -> View:
        """Limit password resets by link: by the link, since the account is not known yet."""
        link = self._limiter.limit(self._settings.rate_limit_login, key_func=_link_key)
        return cast(View, self._of_address(link(view)))

    def _of_address(self, view: Any) -> Any:
        shared = self._limiter.shared_limit(
            self._settings.rate_limit_login_address, scope="passwords", key_func=address_key
        )
        return shared(view)

    def _account_and_origin(self) -> str:
        device = self._device()
        return f"{account_key()}|{f'device:{device}' if device else address_key()}"

    def _device(self) -> str | None:
        email = email_of_body()
        return None if email is None else self._devices.known(normalise_email(email))


def address_key() -> str:
    """Return the counter key of the client's address."""
    return f"address:{network_of(request.remote_addr or '')}"


def account_key() -> str:
    """Return the counter key of the account named in the body, whether it exists or not."""
    email = email_of_body()
    return address_key() if email is None else f"account:{normalise_email(email)[:254]}"


def email_of_body() -> str | None:
    """Return the e-mail address in the body, not normalised."""
    return _text_of_body("email")


def number_key() -> str:
    """Return the counter key of the telephone number in the body, whether it exists or not."""
    number = _text_of_body("number")
    digits = "" if number is None else "".join(each for each in number if "0" <= each <= "9")
    return f"number:{digits[:20]}" if digits else address_key()


def _link_key() -> str:
    token = _text_of_body("token")
    return address_key() if token is None else f"link:{token.partition('.')[0][:64]}"


def _text_of_body(name: str) -> str | None:
    body = request.get_json(silent=True)
    value = body.get(name) if isinstance(body, dict) else None
    return value if isinstance(value, str) else None


def _unauthorised(response: Response) -> bool:
    return response.status_code == HTTPStatus.UNAUTHORIZED


def _wrong_password(response: Response) -> bool:
    if response.status_code != HTTPStatus.UNPROCESSABLE_ENTITY:
        return False
    # The service's error, not one of schema validation, which costs no hash and is no guess.
    return any(
        error["field"] in CURRENT_PASSWORD and error["code"] == "invalid"
        for error in response.get_json().get("errors", [])
    )
