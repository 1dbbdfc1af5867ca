"""Domain errors; app.core.http.problems maps each to an HTTP status."""


class ServiceError(Exception):
    """Base of domain errors; the message may be shown to the client."""


class NotFoundError(ServiceError):
    """The resource does not exist, or belongs to another user: the caller can't tell which."""


class ConflictError(ServiceError):
    """The resource exists already, or is in a state that does not allow the operation."""


class UnauthenticatedError(ServiceError):
    """The caller is not authenticated, or the session has ended."""


class ForbiddenError(ServiceError):
    """The caller is authenticated, but not permitted."""


class PreconditionError(ServiceError):
    """The resource is not at the version that the caller expects."""


class InvalidError(ServiceError):
    """A value breaks a rule beyond the schema.

    Args:
        field: the name of the field or parameter.
        message: what is wrong with it.
    """

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


class MalformedError(InvalidError):
    """A value that only this API issues, such as a cursor, but not for this use. Arguments: those of InvalidError."""


class UnavailableError(ServiceError):
    """A dependency is unavailable or busy; a retry may succeed."""


class TransientError(UnavailableError):
    """The transaction was rolled back, or never began: safe to retry."""


class CommitUnknownError(UnavailableError):
    """COMMIT got no reply: the transaction may or may not be committed. Never retried, nor compensated."""


class MovingError(UnavailableError):
    """The data of the service is moving to another database, in a moment. Nothing has been changed here."""


class MovedError(UnavailableError):
    """The data has been migrated to another database, the only one written to. Nothing has been changed here."""
