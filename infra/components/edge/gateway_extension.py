"""Objects that belong to a Gateway, of kinds of its implementation."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class GatewayExtension:
    """A policy of the Gateway, or what routes refer to.

    Args:
        resource: what the name of the program's resource ends in.
        api_version, kind: of the object.
        name: of the object.
        fields: of the object, beside its metadata.
        annotations: of the object.
    """

    resource: str
    api_version: str
    kind: str
    name: str
    fields: Mapping[str, Any]
    annotations: Mapping[str, str] = field(default_factory=dict)
