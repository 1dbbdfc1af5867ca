"""The error that the commands report to the user."""


class LocalError(Exception):
    """What went wrong, where, and what to do, in one line; the command ends with status 1."""
