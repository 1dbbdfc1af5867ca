"""Errors of the rules; the HTTP layer maps each to one status."""


class ServiceError(Exception):
    """A rule said no; the message is fit for the client."""


class NotFoundError(ServiceError):
    """There is no such thing, or it belongs to somebody else: the caller can't tell which."""


class ConflictError(ServiceError):
    """The thing exists already."""


class UnauthenticatedError(ServiceError):
    """Who asks is not known, or no longer."""


class ForbiddenError(ServiceError):
    """Who asks is known, and may not."""


class PreconditionError(ServiceError):
    """The thing is not as the caller believes it to be."""


class InvalidError(ServiceError):
    """A value breaks a rule that no schema can say.

    Args:
        field: the name of the field or parameter.
        message: what is wrong with it.
    """

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


class MalformedError(InvalidError):
    """A value that only this API makes, and that it has not made for this use. Arguments are those of InvalidError."""


class UnavailableError(ServiceError):
    """Something needed is away or busy; trying again may help."""


class TransientError(UnavailableError):
    """The transaction was rolled back, or never began: nothing has been changed, and it is safe to retry."""


class CommitUnknownError(UnavailableError):
    """COMMIT got no answer: the transaction may have been committed or not. Never retried, nor undone by hand."""


class MovedError(UnavailableError):
    """The data has moved to another database, and is written to there only. Nothing has been changed here."""
