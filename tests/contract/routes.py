"""Operations of the services' contracts, and the rules of HTTPRoutes that take them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from tests.contract.chart import ROOT, Manifest

Operation = tuple[str, str, Manifest]


def operations(service: str) -> Iterator[Operation]:
    """Yield method, path and description of each operation of a committed contract."""
    contract = json.loads((ROOT / "app" / service / "contracts" / "openapi.v1.json").read_text())
    for path, item in contract["paths"].items():
        for method in ("get", "post", "put", "patch", "delete"):
            if method in item:
                yield method.upper(), path, item[method]


def takes(match: Manifest, method: str, path: str, content_type: str) -> bool:
    """Whether a match of an HTTPRoute takes a request."""
    value = str(match["path"]["value"])
    prefixed = path == value or path.startswith(f"{value.rstrip('/')}/")
    headers = {"content-type": content_type}
    return (
        (path == value if match["path"]["type"] == "Exact" else prefixed)
        and match.get("method", method) == method
        and all(re.fullmatch(each["value"], headers[each["name"]]) for each in match.get("headers", []))
    )


def precedence(match: Manifest) -> tuple[bool, int, bool, int, int]:
    """Which of several matches takes a request: the greatest (Gateway API, HTTPRouteMatch)."""
    path = match["path"]
    return (
        path["type"] == "Exact",
        len(path["value"]),
        "method" in match,
        len(match.get("headers", [])),
        len(match.get("queryParams", [])),
    )
