"""Exit codes of a program's process."""

import signal

# The program's process ends with this when it has already shown its error.
ERROR_SHOWN = 32


def failure_message(code: int) -> str:
    """Say what went wrong with a process that has shown no error itself; empty when nothing did.

    Args:
        code: exit code as `subprocess` gives it, negative for a signal.
    """
    if code in (0, ERROR_SHOWN):
        return ""
    if code < 0:
        return f"the program was ended by {signal.Signals(-code).name}"
    return f"the program ended with exit code {code}"
