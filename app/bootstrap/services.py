"""Names of the services, importable without loading any."""

from collections.abc import Sized

ALL = "all"
SERVICES = ("auth", "tasks", "notifications", "analytics")
CHOICES = (ALL, *SERVICES)
SESSIONS = "auth"
"""The service that has the sessions; the others learn of ended ones by events."""
FRONT_END = "tasks"
"""The service whose servers serve the front end and the API's whole documentation, where each has its own."""


def chosen(choice: str) -> tuple[str, ...]:
    """Return the services that one of the `CHOICES` means."""
    return SERVICES if choice == ALL else (choice,)


def complete(services: Sized) -> bool:
    """Return whether these are all services.

    Args:
        services: of one process, none twice.
    """
    return len(services) == len(SERVICES)
