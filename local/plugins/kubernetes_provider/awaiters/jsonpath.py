"""The part of kubectl's JSONPath that waiting for a field needs: `{.status.conditions[?(@.type=="Ready")].status}`."""

import re
from typing import Any

from local.plugins.kubernetes_provider.errors import ProviderError

_STEP = re.compile(
    r"""\.(?P<name>(?:[^.\[\]\\]|\\.)+)          # .name, a dot in it escaped
      | \[(?P<index>-?\d+)\]                     # [0]
      | \[\*\](?P<all>)                          # [*]
      | \[['"](?P<quoted>[^'"]+)['"]\]           # ['name']
      | \[\?\(@\.(?P<key>[\w.]+)\s*==\s*['"](?P<value>[^'"]*)['"]\)\]   # [?(@.key=="value")]
    """,
    re.VERBOSE,
)


def find(path: str, document: Any) -> list[Any]:
    """Give the values that a path leads to; empty when there is none.

    Raises:
        ProviderError: the path is not of the kind that is understood.
    """
    rest = path.strip()
    if rest.startswith("{") and rest.endswith("}"):
        rest = rest[1:-1].strip()
    rest = rest.removeprefix("$")
    if rest and rest[0] not in ".[":
        rest = f".{rest}"
    values = [document]
    while rest:
        match = _STEP.match(rest)
        if not match:
            raise ProviderError(f"the path {path!r} is not understood from {rest!r} on")
        values = [found for value in values for found in _step(match, value)]
        rest = rest[match.end() :]
    return values


def _step(match: re.Match[str], value: Any) -> list[Any]:
    name = match["quoted"] if match["quoted"] is not None else match["name"]
    if name is not None:
        key = name.replace("\\.", ".")
        return [value[key]] if isinstance(value, dict) and key in value else []
    if match["index"] is not None:
        index = int(match["index"])
        return [value[index]] if isinstance(value, list) and -len(value) <= index < len(value) else []
    if match["key"] is not None:
        return [item for item in _items(value) if _text(_deep(item, match["key"])) == match["value"]]
    return _items(value)


def _items(value: Any) -> list[Any]:
    return value if isinstance(value, list) else list(value.values()) if isinstance(value, dict) else []


def _deep(value: Any, dotted: str) -> Any:
    for key in dotted.split("."):
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def matches(path: str, wanted: str | None, document: Any) -> bool:
    """Tell whether a path leads to a value: to `wanted`, or to any at all when that is None."""
    found = find(path, document)
    return bool(found) if wanted is None else any(_text(value) == wanted for value in found)
