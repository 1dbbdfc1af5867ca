"""Pulumi's property values as Python values, and back.

On the wire everything is a protobuf Struct: numbers are floats, a secret is an object with a signature, and a value
that is not known before the update is a fixed string. Here a whole number is an int, a secret is a `Secret` around
its value, and an unknown value is `UNKNOWN`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from google.protobuf import struct_pb2

# Signatures and sentinels of the engine's own protocol (sdk/go/common/resource, property_value.go and sig.go).
_SIGNATURE_KEY = "4dabf18193072939515e22adb298388d"
_SECRET_SIGNATURE = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105 a marker of the protocol, no secret
_OUTPUT_SIGNATURE = "d0e6a833031e9bbcd3f4e8bde6ca49a4"
_UNKNOWN_STRING = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
_UNKNOWNS = frozenset(
    {
        _UNKNOWN_STRING,
        "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",  # bool
        "3eeb2bf0-c639-47a8-9e75-3b44932eb421",  # number
        "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",  # array
        "030794c1-ac77-496b-92df-f27374a8bd58",  # asset
        "e48ece36-62e2-4504-bad9-02848725956a",  # archive
        "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",  # object
    }
)

# A whole number is exact in a float up to this.
_EXACT_LIMIT = 2**53

Value: TypeAlias = Any  # None, bool, int, float, str, Secret, Unknown, list or dict of these
Tree: TypeAlias = dict[str, Value]


@dataclass(frozen=True)
class Secret:
    """A value that must not be seen: not in the state, not in messages."""

    value: Value

    def __repr__(self) -> str:
        """Keep the value out of whatever prints this."""
        return "Secret(…)"


@dataclass(frozen=True)
class Unknown:
    """A value that only the update will know."""

    def __repr__(self) -> str:
        """Name it."""
        return "UNKNOWN"


UNKNOWN = Unknown()


def decode(struct: struct_pb2.Struct) -> Tree:
    """Turn a Struct into a tree of Python values."""
    return {key: _decode(value) for key, value in struct.fields.items()}


def _decode(value: struct_pb2.Value) -> Value:
    match value.WhichOneof("kind"):
        case "string_value":
            return UNKNOWN if value.string_value in _UNKNOWNS else value.string_value
        case "number_value":
            return whole(value.number_value)
        case "bool_value":
            return value.bool_value
        case "list_value":
            return [_decode(item) for item in value.list_value.values]
        case "struct_value":
            return _decode_object(value.struct_value)
        case _:
            return None


def _decode_object(struct: struct_pb2.Struct) -> Value:
    signature = struct.fields[_SIGNATURE_KEY].string_value if _SIGNATURE_KEY in struct.fields else ""
    if signature == _SECRET_SIGNATURE:
        return Secret(_decode(struct.fields["value"]))
    if signature == _OUTPUT_SIGNATURE:
        inner = _decode(struct.fields["value"]) if "value" in struct.fields else UNKNOWN
        return Secret(inner) if struct.fields["secret"].bool_value else inner
    return decode(struct)


def whole(number: float) -> float | int:
    """Give the int that a float stands for, where it stands for one exactly: the wire knows only floats."""
    return int(number) if number.is_integer() and abs(number) <= _EXACT_LIMIT else number


def encode(tree: Mapping[str, Value]) -> struct_pb2.Struct:
    """Turn a tree of Python values into a Struct, secrets and unknown values marked."""
    struct = struct_pb2.Struct()
    for key, value in tree.items():
        _encode(value, struct.fields[key])
    return struct


def _encode(value: Value, into: struct_pb2.Value) -> None:
    if value is None:
        into.null_value = struct_pb2.NULL_VALUE
    elif isinstance(value, bool):
        into.bool_value = value
    elif isinstance(value, int | float):
        into.number_value = value
    elif isinstance(value, str):
        into.string_value = value
    elif isinstance(value, Unknown):
        into.string_value = _UNKNOWN_STRING
    elif isinstance(value, Secret):
        fields = into.struct_value.fields
        fields[_SIGNATURE_KEY].string_value = _SECRET_SIGNATURE
        _encode(value.value, fields["value"])
    elif isinstance(value, Mapping):
        into.struct_value.SetInParent()
        for key, item in value.items():
            _encode(item, into.struct_value.fields[key])
    else:
        into.list_value.SetInParent()
        for item in value:
            _encode(item, into.list_value.values.add())


def plain(value: Value) -> Value:
    """Take the secret wrappers off, at every depth: what the API server is given."""
    if isinstance(value, Secret):
        return plain(value.value)
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value


def has_unknown(value: Value) -> bool:
    """Tell whether any part of a value is not known yet."""
    if isinstance(value, Secret):
        return has_unknown(value.value)
    if isinstance(value, dict):
        return any(has_unknown(item) for item in value.values())
    if isinstance(value, list):
        return any(has_unknown(item) for item in value)
    return isinstance(value, Unknown)
