"""Kubernetes objects as the plain dictionaries that they are on the wire."""

from typing import Any, TypeAlias

Object: TypeAlias = dict[str, Any]


def dig(value: Any, *keys: str | int, default: Any = None) -> Any:
    """Follow keys and indexes into an object; `default` where the way ends."""
    for key in keys:
        try:
            value = value[key]
        except (KeyError, IndexError, TypeError):
            return default
    return default if value is None else value


def name_of(obj: Object) -> str:
    """Give the object's name."""
    return str(dig(obj, "metadata", "name", default=""))


def namespace_of(obj: Object) -> str:
    """Give the object's namespace; empty for kinds without."""
    return str(dig(obj, "metadata", "namespace", default=""))


def title(obj: Object) -> str:
    """Name an object in a sentence: `Deployment shop/api`."""
    return f"{obj.get('kind', 'object')} {identity(obj)}"


def identity(obj: Object) -> str:
    """Give the id that the state knows the object by: `namespace/name`, or the name alone."""
    namespace = namespace_of(obj)
    return f"{namespace}/{name_of(obj)}" if namespace else name_of(obj)


def split_identity(identity_: str) -> tuple[str, str]:
    """Take an id apart into namespace (may be empty) and name."""
    namespace, _, name = identity_.rpartition("/")
    return namespace, name


def annotation(obj: Object, key: str) -> str:
    """Give an annotation's value; empty when there is none."""
    return str(dig(obj, "metadata", "annotations", key, default=""))


def flag(obj: Object, key: str) -> bool:
    """Tell whether an annotation says true."""
    return annotation(obj, key).lower() == "true"


def condition(obj: Object, kind: str) -> dict[str, Any]:
    """Give one of the conditions in the object's status; empty when it is not there."""
    for entry in dig(obj, "status", "conditions", default=[]):
        if entry.get("type") == kind:
            return dict(entry)
    return {}


def selector_text(selector: dict[str, Any]) -> str:
    """Write a label selector the way a list request takes it.

    Args:
        selector: `matchLabels` and `matchExpressions` of a workload, or the flat labels of a Service.
    """
    if "matchLabels" not in selector and "matchExpressions" not in selector:
        return ",".join(f"{key}={value}" for key, value in sorted(selector.items()))
    parts = [f"{key}={value}" for key, value in sorted((selector.get("matchLabels") or {}).items())]
    for entry in selector.get("matchExpressions") or []:
        key, values = entry["key"], ",".join(entry.get("values") or [])
        match entry["operator"]:
            case "In":
                parts.append(f"{key} in ({values})")
            case "NotIn":
                parts.append(f"{key} notin ({values})")
            case "Exists":
                parts.append(key)
            case "DoesNotExist":
                parts.append(f"!{key}")
    return ",".join(parts)
