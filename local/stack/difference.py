"""Differences of two stacks: what their files set, and the images that they run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from infra.config.flat_keys import as_text
from infra.config.stack_file import is_secret, leaves, read_stack_file
from local import paths
from local.errors import LocalError
from local.stack import pulumi

SECRET = "(secret)"  # noqa: S105 - in place of one
IMAGE = "image that runs"


@dataclass(frozen=True)
class Difference:
    """A setting that two stacks do not share.

    Attributes:
        setting: its full key and path.
        one, other: the value of each; None where a stack does not set it. Of a secret it is said that there is one.
    """

    setting: str
    one: str | None
    other: str | None


@dataclass(frozen=True)
class Comparison:
    """Two stacks beside each other.

    Attributes:
        differences: by the name of the setting.
        not_compared: what was left out, a sentence each.
    """

    differences: list[Difference]
    not_compared: list[str]


def compare(one: str, other: str, root: Path = paths.ROOT) -> Comparison:
    """Return what differs between two stacks.

    Two secrets are never compared: their encrypted values differ even where the secrets do not.

    Raises:
        LocalError: a stack has no file, or one that cannot be read.
    """
    first, second = _settings(one, root), _settings(other, root)
    found = [
        Difference(path, first.get(path), second.get(path))
        for path in sorted({*first, *second})
        if first.get(path) != second.get(path)
    ]
    secret = [path for path in sorted(first) if first[path] == second.get(path) == SECRET]
    notes = [f"both have secrets, which are not compared: {', '.join(secret)}"] if secret else []
    try:
        found += _images(one, other)
    except LocalError as error:
        notes.append(f"the images that run are not compared: {error}")
    return Comparison(found, notes)


def _settings(name: str, root: Path) -> dict[str, str]:
    try:
        declared = read_stack_file(root / f"Pulumi.{name}.yaml")
    except ValueError as error:
        raise LocalError(str(error)) from error
    return {path: SECRET if is_secret(value) else as_text(value) for path, value in leaves(declared)}


def _images(one: str, other: str) -> Iterator[Difference]:
    """The images, where both stacks are up and their states can be read from here; LocalError elsewhere."""
    first, second = (pulumi.outputs(stack).get("image") for stack in (one, other))
    if first != second:
        yield Difference(IMAGE, first, second)
