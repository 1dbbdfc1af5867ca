"""Rate limits of requests."""

import logging
import time
from collections.abc import Callable
from functools import cached_property
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypeVar, cast
from uuid import UUID

import structlog
from flask import Flask, Response, request
from flask_limiter import ApplicationLimit, Limiter, RateLimitExceeded
from limits import parse

from app.core.cache.rate_counters import AHEAD, Counted, Rate
from app.core.http.authentication import bearer
from app.core.http.devices import Devices
from app.core.http.password_limits import PasswordLimits, account_key, address_key, email_of_body
from app.core.http.problems import problem
from app.core.security.tokens import AccessTokens, InvalidTokenError
from app.core.settings import Settings

if TYPE_CHECKING:
    from app.core.cache.limiter_storage import SingleRoundTripStorage

log = structlog.get_logger(__name__)

View = TypeVar("View", bound=Callable[..., Any])

API = "/api/"
PREFIX, SCOPE = "task-manager:limits", "all"
"""What the names of counters hold beside who is counted."""

ANYBODY = "*"
"""Stands for who is counted in a name that is made once for all."""


class Limits:
    """The limits of an application.

    Who is logged in is counted by account, everybody else by address. Counts are kept in Redis, for all processes
    together. While Redis is away each process counts for itself: a limit is then looser, and nobody is refused for it.

    Args:
        settings: how much is allowed.
        tokens: tells who asks.
        redis: a client to count with; None counts in the process.
        devices: knows the devices of an account.

    Attributes:
        passwords: the tighter limits of views that try or set a password.
    """

    def __init__(self, settings: Settings, tokens: AccessTokens, redis: Any, devices: Devices) -> None:
        self._tokens = tokens
        self._settings = settings
        if redis is not None:
            from app.core.cache import limiter_storage  # noqa: F401 it makes its scheme known

        self._limiter = Limiter(
            self._who,
            application_limits=[
                ApplicationLimit(settings.rate_limit, scope=SCOPE, exempt_when=lambda: not request.path.startswith(API))
            ],
            storage_uri="memory://" if redis is None else "one-trip://",
            storage_options={} if redis is None else {"client": redis},
            strategy="fixed-window",
            in_memory_fallback_enabled=redis is not None,
            swallow_errors=True,
            key_prefix=PREFIX,
        )
        self._limiter.logger.addFilter(_in_a_line)
        self._item = parse(settings.rate_limit)
        self.passwords = PasswordLimits(self._limiter, settings, devices, self._who)

    def register(self, app: Flask) -> None:
        """Count the requests of an application."""
        self._limiter.init_app(app)

        @self._limiter.request_filter
        def passed() -> bool:
            """The way through the limiter, with nothing to be found there, is a tenth of what a list costs."""
            return _passed() is not None

        @app.errorhandler(RateLimitExceeded)
        def refuse(_error: RateLimitExceeded) -> Response:
            seconds = self._seconds_left()
            words = f"Too many requests: try again in {seconds} seconds."
            return problem(HTTPStatus.TOO_MANY_REQUESTS, words, headers={"Retry-After": str(seconds)})

        @app.after_request
        def tell(response: Response) -> Response:
            """Add what is left, in the header fields of draft-ietf-httpapi-ratelimit-headers-03."""
            if ahead := _passed():
                response.headers.update(self.headers(*ahead))
                return response
            try:
                if limit := self._limiter.current_limit:
                    response.headers.update(_headers(limit.limit.amount, limit.remaining, limit.reset_at))
            except Exception as error:  # noqa: BLE001 whatever the storage raises, the answer is worth more
                log.warning("what is left can't be told", error=type(error).__name__)
            return response

    def of_user(self, user_id: UUID) -> Rate:
        """Return what Redis has to count for a request of somebody who is logged in."""
        return Rate(self._key_of_user.replace(ANYBODY, str(user_id)), self._item.get_expiry(), self._item.amount)

    @cached_property
    def _key_of_user(self) -> str:
        storage = cast("SingleRoundTripStorage", self._limiter.storage)
        return storage.prefixed_key(self._item.key_for(PREFIX, _user(ANYBODY), SCOPE))

    def headers(self, rate: Rate, counted: Counted) -> list[tuple[str, str]]:
        """Return what an answer says of a limit that has not been reached."""
        return _headers(rate.amount, rate.amount - counted.current, int(counted.ends + 1))

    def resets(self, view: View) -> View:
        """Limit a view that has mails sent: by who gets them, and by who asks for them."""
        by_address = self._limiter.limit(self._settings.rate_limit_reset_address, key_func=address_key)
        # A body without an address sends none, and is refused otherwise.
        by_account = self._limiter.limit(
            self._settings.rate_limit_reset, key_func=account_key, exempt_when=lambda: email_of_body() is None
        )
        return cast(View, by_address(by_account(view)))

    def registrations(self, view: View) -> View:
        """Limit a view that may have a mail sent to whoever has an address: by that address, where mail is sent."""
        by_account = self._limiter.limit(
            self._settings.rate_limit_reset,
            key_func=account_key,
            exempt_when=lambda: not self._settings.mail_enabled or email_of_body() is None,
        )
        return cast(View, by_account(view))

    def verifications(self, view: View) -> View:
        """Limit a view that has mails sent to who is logged in: by account, and by who asks for them."""
        by_address = self._limiter.limit(self._settings.rate_limit_reset_address, key_func=address_key)
        by_account = self._limiter.limit(self._settings.rate_limit_reset, key_func=self._who)
        return cast(View, by_address(by_account(view)))

    def _who(self) -> str:
        try:
            return _user(self._tokens.verify(bearer(request.headers.get("Authorization", ""))).user_id)
        except InvalidTokenError:
            return address_key()

    def _seconds_left(self) -> int:
        limit = self._limiter.current_limit
        return _seconds(limit.reset_at) if limit else 1


def _in_a_line(record: logging.LogRecord) -> bool:
    """Make a warning of an error of the library's.

    Counters that are away cost nobody anything. It tells so with a traceback, and that to Sentry, for each request.
    """
    if record.exc_info and (error := record.exc_info[1]):
        record.msg = f"{record.msg}: {type(error).__name__}"
        record.exc_info = None
        record.levelno, record.levelname = logging.WARNING, logging.getLevelName(logging.WARNING)
    return True


def _passed() -> tuple[Rate, Counted] | None:
    """Return the limit and the count of a request that was counted before Flask got it, and may pass."""
    ahead: tuple[Rate, Counted] | None = request.environ.get(AHEAD)
    return ahead if ahead and ahead[1].within(ahead[0]) else None


def _headers(amount: int, left: int, reset_at: int) -> list[tuple[str, str]]:
    return [
        ("RateLimit-Limit", str(amount)),
        ("RateLimit-Remaining", str(left)),
        ("RateLimit-Reset", str(_seconds(reset_at))),
    ]


def _seconds(reset_at: int) -> int:
    return max(1, int(reset_at - time.time()))


def _user(user_id: UUID | str) -> str:
    # In braces, as the cache's keys of the user have it: a cluster has them in one slot, and one script reads them all.
    return f"user:{{{user_id}}}"
