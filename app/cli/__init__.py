"""Commands of `python -m app`, one per module."""

import sys


def fail(message: str, status: int = 1) -> int:
    """Print an error in one line and return the exit status."""
    sys.stderr.write(f"error: {message}\n")
    return status
