"""What a user can get to read when something does not work."""


class LocalError(Exception):
    """What went wrong, where, and what to do, in one line; the command ends with status 1."""
