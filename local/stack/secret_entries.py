"""Entries that a store has to have for a stack: what `secrets.source` vault or aws reads."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pulumi

from infra.components.external_secrets import prefix_of
from infra.components.workload.generated_secrets import stored_secrets
from infra.cost.stack import stack_settings
from local import paths
from local.errors import LocalError


@dataclass(frozen=True)
class SecretEntry:
    """An entry.

    Attributes:
        name: of the Secret that it becomes.
        path: in the store, without the mount of the engine.
        keys: that it has to have.
    """

    name: str
    path: str
    keys: tuple[str, ...]


def entries(stack: str, root: Path = paths.ROOT) -> list[SecretEntry]:
    """Return the entries of a stack, from its file.

    Raises:
        LocalError: it has no file, or a setting is wrong.
    """
    try:
        settings = stack_settings(stack, root)
    except (ValueError, pulumi.RunError) as error:
        raise LocalError(str(error)) from error
    prefix = prefix_of(settings.secrets, stack)
    return [SecretEntry(each.name, f"{prefix}/{each.name}", each.keys) for each in stored_secrets(settings)]
