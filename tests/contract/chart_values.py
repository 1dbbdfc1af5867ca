"""Paths of a chart's values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


def keys(values: Mapping[str, Any], free: set[str], path: str = "") -> Iterator[str]:
    """Yield the paths of values.

    Args:
        values: of a chart.
        free: names of those that it takes as a whole, whatever is in them.
        path: of the values themselves.
    """
    for name, value in values.items():
        here = f"{path}.{name}" if path else name
        if isinstance(value, Mapping) and name not in free:
            yield from keys(value, free, here)
        else:
            yield here
