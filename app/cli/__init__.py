"""The commands of `python -m app`, one a file."""

import sys


def fail(message: str, status: int = 1) -> int:
    """Tell the user in one line, and return the exit status."""
    sys.stderr.write(f"error: {message}\n")
    return status
