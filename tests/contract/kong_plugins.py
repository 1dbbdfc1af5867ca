"""What Kong's plugins take as configuration, as far as the program sets it.

Read from `kong/plugins/*/schema.lua` of Kong 3.9.3: schemas in Lua, which no validator of JSON reads.
A plugin's further fields are left out, and so refused: read their schema before they are set.
"""

from typing import Any, Final

_HEADERS: Final = {"type": "array", "items": {"type": "string"}, "uniqueItems": True}


def _record(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "additionalProperties": False, "properties": properties}


CONFIGURATIONS: Final[dict[str, dict[str, Any]]] = {
    "rate-limiting": {
        **_record(
            second={"type": "number", "exclusiveMinimum": 0},
            minute={"type": "number", "exclusiveMinimum": 0},
            limit_by={"enum": ["consumer", "credential", "ip", "service", "header", "path"]},
            # Its controller runs Kong without a database, which leaves `cluster` out.
            policy={"enum": ["local", "redis"]},
            hide_client_headers={"type": "boolean"},
        ),
        "anyOf": [{"required": ["second"]}, {"required": ["minute"]}],
    },
    "correlation-id": _record(
        header_name={"type": "string"},
        generator={"enum": ["uuid", "uuid#counter", "tracker"]},
        echo_downstream={"type": "boolean"},
    ),
    "request-size-limiting": _record(
        allowed_payload_size={"type": "integer"},
        size_unit={"enum": ["megabytes", "kilobytes", "bytes"]},
        require_content_length={"type": "boolean"},
    ),
    "jwt": _record(
        key_claim_name={"type": "string"},
        claims_to_verify={"type": "array", "items": {"enum": ["exp", "nbf"]}, "uniqueItems": True},
        header_names=_HEADERS,
        uri_param_names=_HEADERS,
        cookie_names=_HEADERS,
    ),
}
"""By the plugin's name."""
