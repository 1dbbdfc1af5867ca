"""OpenAPI document of the whole API, for a server that has a part of it."""

import json
from pathlib import Path
from typing import Any

from app.bootstrap.services import SERVICES
from app.core.http.openapi import DOCUMENT_FILE

APP = Path(__file__).resolve().parents[1]


def committed_document() -> dict[str, Any]:
    """Return one document of the committed contracts of all services.

    They were written by this version, so what two of them define under one name is the same.
    """
    first, *others = (json.loads((APP / name / "contracts" / DOCUMENT_FILE).read_text()) for name in SERVICES)
    whole: dict[str, Any] = first
    for document in others:
        whole["paths"] |= document["paths"]
        for kind, components in document["components"].items():
            whole["components"].setdefault(kind, {}).update(components)
        whole["tags"] += [tag for tag in document["tags"] if tag not in whole["tags"]]
    return whole
