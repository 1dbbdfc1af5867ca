"""Files of stacks: what `Pulumi.NAME.yaml` sets, as it is written there."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml


def read_stack_file(file: Path) -> dict[str, Any]:
    """Return the values of a stack's file by full key, such as `task-manager:phase`.

    Raises:
        ValueError: there is no such file, or it is no YAML.
    """
    try:
        declared = yaml.safe_load(file.read_text()) or {}
    except FileNotFoundError:
        raise ValueError(f"there is no {file.name} in {file.parent}: name a stack that has a file") from None
    except yaml.YAMLError as error:
        place = getattr(error, "problem_mark", None)
        where = f" in line {place.line + 1}" if place else ""
        raise ValueError(f"{file.name} is no YAML{where}: mend it") from None
    return dict(declared.get("config") or {})


def is_secret(value: object) -> bool:
    """Tell whether a value is encrypted."""
    return isinstance(value, Mapping) and set(value) == {"secure"}


def leaves(value: object, path: str = "") -> Iterator[tuple[str, object]]:
    """Give each value that is no object with its path, such as `task-manager:database.storage`; secrets as they are."""
    if not isinstance(value, Mapping) or is_secret(value):
        yield path, value
        return
    for key, inner in value.items():
        yield from leaves(inner, f"{path}.{key}" if path else str(key))
