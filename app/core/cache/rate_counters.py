"""Fixed-window rate counters in Redis."""

from dataclasses import dataclass

AHEAD = "task_manager.counted"
"""Where the environment of a request that was counted before Flask got it says so: its Rate, and Counted."""

COUNT = """
local current = redis.call("incrby", KEYS[1], ARGV[2])
if current == tonumber(ARGV[2]) then
    redis.call("expire", KEYS[1], ARGV[1])
end
local ends = redis.call("time")[1] + redis.call("ttl", KEYS[1])
"""
"""The beginning of a script: it counts as the limits library does, and learns when the window ends."""


@dataclass(frozen=True, slots=True)
class Rate:
    """Attributes: key of the counter in Redis; seconds that a window lasts; amount of requests allowed in it."""

    key: str
    seconds: int
    amount: int


@dataclass(frozen=True, slots=True)
class Counted:
    """Attributes: current: requests of the window so far; ends: when it ends, seconds since the epoch."""

    current: int
    ends: float

    def within(self, rate: Rate) -> bool:
        """Return whether the request that has been counted may pass."""
        return self.current <= rate.amount
