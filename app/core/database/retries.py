"""Retries of transactions that were rolled back: deadlock, serialization failure, failover."""

import random
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import wraps
from typing import ParamSpec, TypeVar

from app.core.errors import TransientError

P = ParamSpec("P")
T = TypeVar("T")
W = TypeVar("W")

PAUSES = (0.05, 0.1, 0.2, 0.4)
"""Seconds before each retry, on average. Their sum is what a thread of the server may be held up by an outage."""

MOST_SECONDS = 2.0
"""Seconds after which nothing is retried: a database that does not even refuse is not helped by more requests."""


def retried(unit: Callable[P, T]) -> Callable[P, T]:
    """Let a unit of work be run anew when it has raised TransientError, up to four times within a second or two.

    For functions whose one transaction is all that they do: what they have done besides would be done twice. While the
    database is away its circuit breaker refuses them by an error that is not retried, so that nobody waits for it.
    """

    @wraps(unit)
    def call(*args: P.args, **kwargs: P.kwargs) -> T:
        give_up = time.monotonic() + MOST_SECONDS
        pauses = iter(PAUSES)
        while True:
            try:
                return unit(*args, **kwargs)
            except TransientError:
                pause = next(pauses, None)
                if pause is None or time.monotonic() > give_up:
                    raise
                # of different lengths, so that two that were in each other's way do not meet again
                time.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311 no secret

    return call


@retried
def run(transaction: Callable[[], AbstractContextManager[W]], unit: Callable[[W], T]) -> T:
    """Return what a unit of work returns within a transaction, retried as `retried` says.

    Args:
        transaction: opens one, as a storage's `read` and `write` do.
        unit: is given its repositories, and changes nothing else.
    """
    with transaction() as work:
        return unit(work)
