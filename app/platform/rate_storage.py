"""Where requests are counted in Redis: one round trip a request, its headers included."""

from typing import Any

from flask import g
from limits.storage.redis import RedisStorage

COUNT = """
local current = redis.call("incrby", KEYS[1], ARGV[2])
if current == tonumber(ARGV[2]) then
    redis.call("expire", KEYS[1], ARGV[1])
end
local time = redis.call("time")
return {current, time[1] + redis.call("ttl", KEYS[1])}
"""


class OneTripStorage(RedisStorage):
    """Counts like its parent, and learns in the same call when the window ends.

    Count and end are remembered for the request that has counted: what its headers say needs no further call.
    """

    STORAGE_SCHEME = ["one-trip"]  # noqa: RUF012 as its parent has it

    def __init__(self, uri: str, connection_pool: Any = None, **options: Any) -> None:
        super().__init__(uri, connection_pool=connection_pool, **options)
        self._count = self.storage.register_script(COUNT)

    def incr(self, key: str, expiry: float, amount: int = 1) -> int:
        """Count, and return how many there are in the window. `expiry` is its length, seconds."""
        key = self.prefixed_key(key)
        current, ends = self._count([key], [int(expiry), amount])
        _remembered()[key] = (int(current), float(ends))
        return int(current)

    def get(self, key: str) -> int:
        """Return how many there are in the window."""
        known = _remembered().get(self.prefixed_key(key))
        return known[0] if known else super().get(key)

    def get_expiry(self, key: str) -> float:
        """Return when the window ends, seconds since the epoch."""
        known = _remembered().get(self.prefixed_key(key))
        return known[1] if known else super().get_expiry(key)


def _remembered() -> dict[str, tuple[int, float]]:
    if "counted" not in g:
        g.counted = {}
    counted: dict[str, tuple[int, float]] = g.counted
    return counted
