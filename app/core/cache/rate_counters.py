"""Fixed-window rate counters in Redis."""

from dataclasses import dataclass

AHEAD = "task_manager.counted"
"""Key of the WSGI environment: Rate and Counted of a request that was counted before Flask."""

COUNT = """
local current = redis.call("incrby", KEYS[1], ARGV[2])
if current == tonumber(ARGV[2]) then
    redis.call("expire", KEYS[1], ARGV[1])
end
local ends = redis.call("time")[1] + redis.call("ttl", KEYS[1])
"""
"""Lua prefix of scripts: counts as the limits library does, and computes the end of the window."""


@dataclass(frozen=True, slots=True)
class Rate:
    """A fixed-window rate limit.

    Attributes:
        key: of the counter in Redis.
        seconds: length of the window.
        amount: requests allowed in it.
    """

    key: str
    seconds: int
    amount: int


@dataclass(frozen=True, slots=True)
class Counted:
    """A counted request.

    Attributes:
        current: requests in the window so far.
        ends: when the window ends, seconds since the epoch.
    """

    current: int
    ends: float

    def within(self, rate: Rate) -> bool:
        """Return whether the counted request is within the limit."""
        return self.current <= rate.amount
