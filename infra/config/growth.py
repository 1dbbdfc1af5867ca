"""Growth of a stack from one database for all services to one each, over several updates.

An update cannot both use what the former phase ran with and take it away. So each does one step, and records it: the
next one goes on from there.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, Self

from infra import phases
from infra.config.types import GatewayKind

FORMER_PHASE: Final = 3
"""The phase that services grow out of."""


class Growth(StrEnum):
    """Step of a growth that an update does, and what it registers."""

    MOVE = "move"
    """The services start beside the former release, and each takes its tables over. Requests still come in there."""
    ROUTE = "route"
    """The gateway leads to the services; the former release ends the requests that it has."""
    RETIRE = "retire"
    """The former release and its broker are gone. The former tables stay."""
    REMOVE = "remove"
    """The former tables are dropped."""
    DONE = "done"
    """Nothing of it is left."""

    @property
    def former_serves(self) -> bool:
        """Whether the former release is there."""
        return self in (Growth.MOVE, Growth.ROUTE)

    @property
    def former_tables(self) -> bool:
        """Whether tables that services have left behind are there."""
        return self is not Growth.DONE

    def next_step(self, project: str) -> str:
        """What is left to do after this update; empty for nothing."""
        return _NEXT[self].format(project=project)


_NEXT: Final = {
    Growth.MOVE: "run `pulumi up` again: the gateway is led to the services",
    Growth.ROUTE: "run `pulumi up` again: the former release is removed",
    Growth.RETIRE: "the former tables are kept: set {project}:database.former_tables to removed to drop them",
    Growth.REMOVE: "run `pulumi up` again: the role that has moved the tables is dropped",
    Growth.DONE: "",
}


@dataclass(frozen=True)
class Deployed:
    """What the settings of an update depend on of the one before.

    Args:
        growth: step of this update; None without one.
        gateway: implementation of the Gateway that there is; None without one.
    """

    growth: Growth | None = None
    gateway: GatewayKind | None = None

    @classmethod
    def recorded(cls, phase: int, outputs: Mapping[str, Any]) -> Self:
        """Return it by the outputs of the stack's last update.

        Args:
            phase: of this update.
            outputs: by name.

        Raises:
            ValueError: the stack's data cannot follow it to this phase; the message says why, and what to do.
        """
        before = outputs.get("phase")
        if before is None:
            return cls()
        before, split = int(before), phases.PHASES[phase].split
        if phases.PHASES[before].split and not split:
            raise ValueError(
                f"its services have databases of their own, which none of phase {phase} reads: set it back to {before}"
            )
        if not split:
            return cls()
        return cls(_growth(before, outputs.get("growth")), _gateway(outputs) if before > 1 else None)


def _gateway(outputs: Mapping[str, Any]) -> GatewayKind:
    if kind := outputs.get("gateway_kind"):
        return GatewayKind(kind)
    # Stacks that a former release has brought up do not say it.
    namespace = outputs.get("gateway_namespace")
    return GatewayKind.ISTIO if namespace and namespace == outputs.get("namespace") else GatewayKind.TRAEFIK


def _growth(before: int, done: str | None) -> Growth | None:
    if not phases.PHASES[before].split:
        if before != FORMER_PHASE:
            raise ValueError(f"a stack of phase {before} grows to phase {FORMER_PHASE} first: set it to that")
        return Growth.MOVE
    match done:
        case Growth.MOVE:
            return Growth.ROUTE
        case Growth.ROUTE:
            return Growth.RETIRE
        case Growth.RETIRE:
            return Growth.REMOVE  # the settings say whether it is time
        case Growth.REMOVE | Growth.DONE:
            return Growth.DONE
        case _:
            return None
