"""Exponential backoff."""

import random
from datetime import timedelta

LONGEST = 600
"""Seconds between two tries at most."""


def backoff(first: float, failures: int) -> timedelta:
    """Return the time until the next try: it doubles, and differs a little, so that not all come back at once.

    Args:
        first: seconds after the first failure.
        failures: how many there have been, at least 1.
    """
    # The exponent is bounded where the longest wait is reached from any first one, before a float overflows.
    seconds = min(first * 2 ** min(failures - 1, 32), LONGEST)
    return timedelta(seconds=seconds * random.uniform(0.8, 1.2))  # noqa: S311 no secret
