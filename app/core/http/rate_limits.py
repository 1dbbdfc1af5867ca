"""Rate limits of requests: fixed windows per user or address."""

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
from app.core.http.password_limits import PasswordLimits, account_key, address_key, email_of_body, number_key
from app.core.http.problems import problem
from app.core.security.tokens import InvalidTokenError, TokenVerifier
from app.core.settings import Settings

if TYPE_CHECKING:
    from app.core.cache.limiter_storage import SingleRoundTripStorage

log = structlog.get_logger(__name__)

View = TypeVar("View", bound=Callable[..., Any])

API = "/api/"
PREFIX, SCOPE = "task-manager:limits", "all"
"""Parts of a counter's key beside the user or address."""

ANYBODY = "*"
"""Placeholder for the user's id in the key template, which is made once."""


class Limits:
    """The rate limits of an application.

    Authenticated requests are counted by user, all others by client address, in Redis for all processes together.
    While Redis is unavailable each process counts by itself: the limit is looser, and the outage rejects no request.

    Args:
        settings: the limits.
        tokens: verifies access tokens, to identify the user.
        redis: the client to count with; None counts in the process.
        devices: recognises the known devices of an account.

    Attributes:
        passwords: the tighter limits of views that check or set a password.
    """

    def __init__(self, settings: Settings, tokens: TokenVerifier, redis: Any, devices: Devices) -> None:
        self._tokens = tokens
        self._settings = settings
        if redis is not None:
            from app.core.cache import limiter_storage  # noqa: F401 registers its URI scheme

        self._limiter = Limiter(
            self._caller_key,
            application_limits=[
                ApplicationLimit(settings.rate_limit, scope=SCOPE, exempt_when=lambda: not request.path.startswith(API))
            ],
            storage_uri="memory://" if redis is None else "one-trip://",
            storage_options={} if redis is None else {"client": redis, "prefix": settings.redis_prefix},
            strategy="fixed-window",
            in_memory_fallback_enabled=redis is not None,
            swallow_errors=True,
            key_prefix=PREFIX,
        )
        self._limiter.logger.addFilter(_without_traceback)
        self._item = parse(settings.rate_limit)
        self.passwords = PasswordLimits(self._limiter, settings, devices, self._caller_key)

    def register(self, app: Flask) -> None:
        """Enforce the limits in an application."""
        self._limiter.init_app(app)

        @self._limiter.request_filter
        def counted_before_flask() -> bool:
            """Skip flask-limiter, a tenth of a list's cost, for a request that is counted already."""
            return _counted_before_flask() is not None

        @app.errorhandler(RateLimitExceeded)
        def too_many_requests(_error: RateLimitExceeded) -> Response:
            seconds = self._seconds_left()
            words = f"Too many requests: try again in {seconds} seconds."
            return problem(HTTPStatus.TOO_MANY_REQUESTS, words, headers={"Retry-After": str(seconds)})

        @app.after_request
        def add_headers(response: Response) -> Response:
            """Add the RateLimit-* headers (draft-ietf-httpapi-ratelimit-headers-03)."""
            if ahead := _counted_before_flask():
                response.headers.update(self.headers(*ahead))
                return response
            try:
                if limit := self._limiter.current_limit:
                    response.headers.update(_headers(limit.limit.amount, limit.remaining, limit.reset_at))
            except Exception as error:  # noqa: BLE001 no error of the storage is worth failing the response
                log.warning("rate limit headers unavailable", error=type(error).__name__)
            return response

    def of_user(self, user_id: UUID) -> Rate:
        """Return the rate limit of an authenticated user, with its counter's key in Redis."""
        return Rate(self._key_of_user.replace(ANYBODY, str(user_id)), self._item.get_expiry(), self._item.amount)

    @cached_property
    def _key_of_user(self) -> str:
        storage = cast("SingleRoundTripStorage", self._limiter.storage)
        return storage.prefixed_key(self._item.key_for(PREFIX, _user(ANYBODY), SCOPE))

    def headers(self, rate: Rate, counted: Counted) -> list[tuple[str, str]]:
        """Return the RateLimit-* headers of a request within its limit."""
        return _headers(rate.amount, rate.amount - counted.current, int(counted.ends + 1))

    def resets(self, view: View) -> View:
        """Limit a view that sends mails: by recipient account and by client address."""
        by_address = self._limiter.limit(self._settings.rate_limit_reset_address, key_func=address_key)
        # A body without an address sends no mail, and fails validation.
        by_account = self._limiter.limit(
            self._settings.rate_limit_reset, key_func=account_key, exempt_when=lambda: email_of_body() is None
        )
        return cast(View, by_address(by_account(view)))

    def registrations(self, view: View) -> View:
        """Limit a view that may mail any address: by that address, where mail is enabled."""
        by_account = self._limiter.limit(
            self._settings.rate_limit_reset,
            key_func=account_key,
            exempt_when=lambda: not self._settings.mail_enabled or email_of_body() is None,
        )
        return cast(View, by_account(view))

    def verifications(self, view: View) -> View:
        """Limit a view that mails the authenticated user: by user and by client address."""
        by_address = self._limiter.limit(self._settings.rate_limit_reset_address, key_func=address_key)
        by_account = self._limiter.limit(self._settings.rate_limit_reset, key_func=self._caller_key)
        return cast(View, by_address(by_account(view)))

    def sms_codes(self, view: View) -> View:
        """Limit a view that sends a code by SMS to a number of the body: by user and by number."""
        limit = self._settings.rate_limit_sms_codes
        by_user = self._limiter.limit(limit, key_func=self._caller_key)
        return cast(View, by_user(self._limiter.limit(limit, key_func=number_key)(view)))

    def _caller_key(self) -> str:
        try:
            return _user(self._tokens.verify(bearer(request.headers.get("Authorization", ""))).user_id)
        except InvalidTokenError:
            return address_key()

    def _seconds_left(self) -> int:
        limit = self._limiter.current_limit
        return _seconds(limit.reset_at) if limit else 1


def _without_traceback(record: logging.LogRecord) -> bool:
    """Turn flask-limiter's errors into warnings of one line.

    Unavailable counters fail no request, but the library logs an error with traceback for each, and so to Sentry.
    """
    if record.exc_info and (error := record.exc_info[1]):
        record.msg = f"{record.msg}: {type(error).__name__}"
        record.exc_info = None
        record.levelno, record.levelname = logging.WARNING, logging.getLevelName(logging.WARNING)
    return True


def _counted_before_flask() -> tuple[Rate, Counted] | None:
    """Return limit and count of a request that ResponseCacheMiddleware has counted, if it is within the limit."""
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
    # A hash tag, as in the user's cache keys: so they share one slot of a Redis Cluster, and one script reads them all.
    return f"user:{{{user_id}}}"
