"""Quantities of Kubernetes in objects, and whether they are in canonical form."""

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

_SCALES = {suffix: Decimal(1000) ** power for power, suffix in enumerate(("m", "", "k", "M", "G", "T", "P", "E"), -1)}
_SCALES |= {suffix: Decimal(1024) ** power for power, suffix in enumerate(("Ki", "Mi", "Gi", "Ti", "Pi", "Ei"), 1)}

_BY_NAME = frozenset(
    ("cpu", "memory", "storage", "ephemeral-storage", "sizeLimit", "tmpSizeLimit", "maximumLag", "averageValue")
)
_IN_STORAGE = frozenset(("storage", "walStorage"))
_WITH_SUFFIX = re.compile(r"[0-9.]+([KMGTPE]i)")


def value_of(text: str) -> Decimal:
    """Read a quantity; a ValueError for what is none."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([kMGTPE]i?|Ki|m|)", text)
    if match is None:
        raise ValueError(f"{text!r} is no quantity")
    return Decimal(match[1]) * _SCALES[match[2]]


def is_canonical(value: object) -> bool:
    """Tell whether a quantity is a text without fraction, with the largest suffix of its kind that fits."""
    match = re.fullmatch(r"(0|[1-9]\d*)(m|[kMGTPE]|[KMGTPE]i|)", value) if isinstance(value, str) else None
    if match is None:
        return False
    amount, suffix = int(match[1]), match[2]
    if amount == 0:
        return suffix == ""
    return amount % (1024 if suffix.endswith("i") else 1000) != 0


def quantities(value: Any, path: str = "", key: str = "", parent: str = "") -> Iterator[tuple[str, Any]]:
    """Give every quantity of an object with its place: fields that hold one, and texts that can be nothing else."""
    if isinstance(value, dict):
        for name, item in value.items():
            yield from quantities(item, f"{path}.{name}", str(name), key)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from quantities(item, f"{path}[{index}]", key, parent)
    elif value not in (None, "") and (
        (key in _BY_NAME and parent != "matchLabels")
        or (key == "size" and parent in _IN_STORAGE)
        or (isinstance(value, str) and _WITH_SUFFIX.fullmatch(value))
    ):
        yield path, value
