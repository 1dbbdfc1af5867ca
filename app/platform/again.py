"""Trying again what the database has certainly not done: after a deadlock, or while it fails over."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from math import inf
from typing import ParamSpec, TypeVar

from app.platform.errors import TransientError

P = ParamSpec("P")
T = TypeVar("T")

PAUSES = (0.05, 0.1, 0.2, 0.4)
"""Seconds before each further try, on average. Their sum is what a thread of the server may be held up by an outage."""

PATIENCE = 2.0
"""Seconds after which nothing is tried again: a database that does not even refuse is not helped by more requests, and
one that has refused everybody for so long is away."""

EVERY = 0.25
"""Seconds between two tries of a method, in a process, while all of them fail. Each makes a connection for nothing, and
what is away may need the processor to come back."""


@dataclass
class Outage:
    """Tells a moment, for which it is worth to wait, from an outage, in which all threads would end up waiting.

    Attributes:
        began: when the first of the failures came that no success has ended, on the monotonic clock.
        latest: when the latest of them came.
        due: when the next try is, in an outage.
    """

    began: float = inf
    latest: float = -inf
    due: float = -inf

    @property
    def lasts(self) -> bool:
        """Whether there have been nothing but failures for some time, the latest of them just now."""
        now = time.monotonic()
        return now - self.began > PATIENCE and now - self.latest <= PATIENCE

    def wait(self) -> bool:
        """Tell whether it is too early for a try. Whoever is told no makes it."""
        now = time.monotonic()
        if not self.lasts:
            return False
        if now < self.due:
            return True
        self.due = now + EVERY
        return False

    def failed(self) -> None:
        """Note a failure."""
        now = time.monotonic()
        fresh = now - self.latest > PATIENCE  # whatever was before, nobody has looked since
        self.began, self.latest = now if fresh else min(self.began, now), now

    def over(self) -> None:
        """Note a success."""
        self.began = inf


def again(method: Callable[P, T]) -> Callable[P, T]:
    """Let a method be called again when it has raised TransientError.

    For methods whose one transaction is all that they do: what they have done besides would be done twice. While all
    calls of a method fail, none waits, and only now and then one is a try: the others would take threads and processor
    from those who can be served.
    """
    outage = Outage()

    @wraps(method)
    def call(*args: P.args, **kwargs: P.kwargs) -> T:
        if outage.wait():
            raise TransientError("The database can't be reached.")
        give_up = time.monotonic() + PATIENCE
        pauses = iter(PAUSES)
        while True:
            try:
                done = method(*args, **kwargs)
            except TransientError:
                outage.failed()
                pause = next(pauses, None)
                if pause is None or outage.lasts or time.monotonic() > give_up:
                    raise
                # of different lengths, so that two that were in each other's way do not meet again
                time.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311 no secret
            else:
                outage.over()
                return done

    return call
