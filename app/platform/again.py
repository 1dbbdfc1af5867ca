"""Trying again what the database has certainly not done: after a deadlock, or while it fails over."""

import random
import time
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from app.platform.errors import UndoneError

P = ParamSpec("P")
T = TypeVar("T")

PAUSES = (0.05, 0.1, 0.2, 0.4)
"""Seconds before each further try, on average. Their sum is what a thread of the server may be held up by an outage."""

PATIENCE = 2.0
"""Seconds after which nothing is tried again: a database that does not even refuse is not helped by more requests."""


def again(method: Callable[P, T]) -> Callable[P, T]:
    """Let a method be called again when it has raised UndoneError.

    For methods whose one transaction is all that they do: what they have done besides would be done twice.
    """

    @wraps(method)
    def call(*args: P.args, **kwargs: P.kwargs) -> T:
        give_up = time.monotonic() + PATIENCE
        for pause in PAUSES:
            try:
                return method(*args, **kwargs)
            except UndoneError:
                if time.monotonic() > give_up:
                    raise
                # of different lengths, so that two that were in each other's way do not meet again
                time.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311 no secret
        return method(*args, **kwargs)

    return call
