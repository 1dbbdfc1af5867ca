"""Trying again what the database has certainly not done: after a deadlock, or while it fails over."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from math import inf
from typing import ParamSpec, TypeVar

from app.platform.errors import UndoneError

P = ParamSpec("P")
T = TypeVar("T")

PAUSES = (0.05, 0.1, 0.2, 0.4)
"""Seconds before each further try, on average. Their sum is what a thread of the server may be held up by an outage."""

PATIENCE = 2.0
"""Seconds after which nothing is tried again: a database that does not even refuse is not helped by more requests, and
one that has refused everybody for so long is away."""


@dataclass
class Outage:
    """Tells a moment, for which it is worth to wait, from an outage, in which all threads would end up waiting.

    Attributes:
        began: when the first of the failures came that no success has ended, on the monotonic clock.
        latest: when the latest of them came.
    """

    began: float = inf
    latest: float = -inf

    def lasts(self) -> bool:
        """Note a failure, and tell whether there have been nothing but failures for some time."""
        now = time.monotonic()
        if now - self.latest > PATIENCE:  # whatever was before, nobody has looked since
            self.began = now
        self.began, self.latest = min(self.began, now), now
        return now - self.began > PATIENCE

    def over(self) -> None:
        """Note a success."""
        self.began = inf


def again(method: Callable[P, T]) -> Callable[P, T]:
    """Let a method be called again when it has raised UndoneError.

    For methods whose one transaction is all that they do: what they have done besides would be done twice. While all
    calls of a method fail, each is one try: those that wait would take the threads from those that need not.
    """
    outage = Outage()

    @wraps(method)
    def call(*args: P.args, **kwargs: P.kwargs) -> T:
        give_up = time.monotonic() + PATIENCE
        pauses = iter(PAUSES)
        while True:
            try:
                done = method(*args, **kwargs)
            except UndoneError:
                pause = next(pauses, None)
                if pause is None or outage.lasts() or time.monotonic() > give_up:
                    raise
                # of different lengths, so that two that were in each other's way do not meet again
                time.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311 no secret
            else:
                outage.over()
                return done

    return call
