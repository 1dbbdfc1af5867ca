"""Errors of the move of a service to a database of its own."""


class SplitError(Exception):
    """A step failed; the former database stays in use unless the message, one line, says otherwise."""


class PauseTooLongError(SplitError):
    """The writes would have been refused for too long: they go on, and the step may be repeated."""
