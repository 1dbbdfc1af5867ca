"""Storage of flask-limiter in Redis: one round trip a request, response headers included."""

from typing import Any

from flask import g, request
from limits.storage import Storage
from limits.storage.redis import RedisStorage
from redis import RedisError

from app.core.cache.rate_counters import AHEAD, COUNT, Counted


class SingleRoundTripStorage(RedisStorage):
    """Counts like its parent, and gets the end of the window in the same call.

    Both are stored in `flask.g` for the rest of the request, so its RateLimit-* headers need no further call.

    Args:
        client: the client to count with.
        prefix: of all keys.
    """

    STORAGE_SCHEME = ["one-trip"]  # noqa: RUF012 as its parent has it

    def __init__(self, uri: str, client: Any, prefix: str = "", **options: Any) -> None:
        # not the parent's: it would create its own client, which can't be one of a Redis Cluster
        Storage.__init__(self, uri, **options)
        self.key_prefix = f"{prefix}{self.PREFIX}"
        self.target_server = "redis"
        self.storage = client
        self._count = self.storage.register_script(f"{COUNT} return {{current, ends}}")

    @property
    def base_exceptions(self) -> type[Exception]:
        """Errors of the client; the parent reads them from a module that it has not loaded here."""
        return RedisError

    def incr(self, key: str, expiry: float, amount: int = 1) -> int:
        """Count the request, and return the window's count. `expiry` is the window's length, seconds."""
        key = self.prefixed_key(key)
        rate, counted = request.environ.pop(AHEAD, (None, None))
        if rate is None or rate.key != key:
            current, ends = self._count([key], [int(expiry), amount])
            counted = Counted(int(current), float(ends))
        _remembered()[key] = counted
        return int(counted.current)

    def get(self, key: str) -> int:
        """Return the window's count."""
        known = _remembered().get(self.prefixed_key(key))
        return known.current if known else super().get(key)

    def get_expiry(self, key: str) -> float:
        """Return when the window ends, seconds since the epoch."""
        known = _remembered().get(self.prefixed_key(key))
        return known.ends if known else super().get_expiry(key)


def _remembered() -> dict[str, Counted]:
    if "counted" not in g:
        g.counted = {}
    counted: dict[str, Counted] = g.counted
    return counted
