"""Property changes between two trees of values."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from local.plugins.kubernetes_provider.immutable import Path
from local.plugins.kubernetes_provider.values import Unknown, Value


class Kind(Enum):
    """The kind of a change."""

    ADD = "add"
    DELETE = "delete"
    UPDATE = "update"


@dataclass(frozen=True)
class Change:
    """One place that differs."""

    path: Path
    kind: Kind

    def text(self) -> str:
        """Write the place the way Pulumi writes property paths: `spec.ports[0].name`, `data["a.b"]`."""
        text = ""
        for part in self.path:
            if isinstance(part, int):
                text += f"[{part}]"
            elif part and all(letter.isalnum() or letter in "_$-" for letter in part):
                text += f".{part}" if text else part
            else:
                escaped = part.replace('"', '\\"')
                text += f'["{escaped}"]'
        return text


def compare(old: Value, new: Value, path: Path = ()) -> Iterator[Change]:
    """Give the places at which `new` differs from `old`, deepest place first named.

    Both come without secret wrappers. A value that is not known yet differs from every other.
    """
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted(old.keys() | new.keys()):
            if key not in new:
                yield Change((*path, key), Kind.DELETE)
            elif key not in old:
                yield Change((*path, key), Kind.ADD)
            else:
                yield from compare(old[key], new[key], (*path, key))
    elif isinstance(old, list) and isinstance(new, list):
        for index in range(max(len(old), len(new))):
            if index >= len(new):
                yield Change((*path, index), Kind.DELETE)
            elif index >= len(old):
                yield Change((*path, index), Kind.ADD)
            else:
                yield from compare(old[index], new[index], (*path, index))
    elif isinstance(new, Unknown) or not same(old, new):
        yield Change(path, Kind.UPDATE)


def same(old: Value, new: Value) -> bool:
    """Compare two leaves; 1 and 1.0 are the same number, but True is no number."""
    if isinstance(old, bool) or isinstance(new, bool):
        return old is new
    return bool(old == new)
