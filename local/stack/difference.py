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


def differences(one: str, other: str, root: Path = paths.ROOT) -> list[Difference]:
    """Return what differs between two stacks, by the name of the setting.

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
    return [*found, *_images(one, other)]


def _settings(name: str, root: Path) -> dict[str, str]:
    try:
        declared = read_stack_file(root / f"Pulumi.{name}.yaml")
    except ValueError as error:
        raise LocalError(str(error)) from error
    return {path: SECRET if is_secret(value) else as_text(value) for path, value in leaves(declared)}


def _images(one: str, other: str) -> Iterator[Difference]:
    """The images, where both stacks are up and their states can be read from here."""
    try:
        first, second = (pulumi.outputs(stack).get("image") for stack in (one, other))
    except LocalError:
        return
    if first != second:
        yield Difference(IMAGE, first, second)
