"""Growth of a stack that its data cannot follow yet."""

from collections.abc import Callable
from typing import Any

import pulumi

from infra.config.settings import Settings
from infra.phases import PHASE_KEY


def check_growth(settings: Settings, deployed_phase: Callable[[], Any]) -> None:
    """Refuse a phase with a database a service where the stack has run with one for all.

    Args:
        settings: the stack's.
        deployed_phase: gives the phase of the stack's last update; None before the first one.

    Raises:
        pulumi.RunError: the update would leave the stack's data behind.
    """
    if not settings.row.split:
        return
    former = deployed_phase()
    if former is not None and int(former) < settings.phase:
        raise pulumi.RunError(
            f"{PHASE_KEY}: a stack of phase {int(former)} cannot become one of phase {settings.phase} yet, since its"
            f" data would stay behind in the one database: set it back to {int(former)}, or make a new stack"
        )
