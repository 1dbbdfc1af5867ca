"""The state of a release: its inputs, what helm says of it, the names of what it has made."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from local.plugins.kubernetes_provider.objects import name_of, namespace_of
from local.plugins.kubernetes_provider.release.inputs import OUTPUT_ONLY
from local.plugins.kubernetes_provider.release.record import Record
from local.plugins.kubernetes_provider.values import UNKNOWN, Secret, Tree, plain

# Tells at a refresh whether someone else has changed the values since. A hash of secrets is a secret as well.
VALUES_HASH = "__valuesHash"


def outputs(inputs: Tree, record: Record) -> Tree:
    """Make the state of a release that helm knows."""
    return {
        **inputs,
        "status": {
            "name": record.name,
            "namespace": record.namespace,
            "revision": record.revision,
            "status": record.status,
            "chart": record.chart.get("name", ""),
            "version": record.chart.get("version", ""),
            "appVersion": record.chart.get("appVersion", ""),
        },
        "resourceNames": resource_names(record),
        VALUES_HASH: Secret(values_hash(record.values)),
    }


def preview(inputs: Tree, state: Tree | None = None) -> Tree:
    """Make the state as far as it can be known before helm has run."""
    names = plain(state or {}).get("resourceNames", UNKNOWN)
    return {**inputs, "status": UNKNOWN, "resourceNames": names}


def resource_names(record: Record) -> dict[str, list[str]]:
    """Give the names of the release's objects by kind, as the official provider does: `Deployment/apps/v1`."""
    found: dict[str, list[str]] = {}
    for obj in record.objects():
        name = name_of(obj)
        namespace = namespace_of(obj)
        found.setdefault(f"{obj['kind']}/{obj['apiVersion']}", []).append(f"{namespace}/{name}" if namespace else name)
    return {key: sorted(found[key]) for key in sorted(found)}


def values_hash(values: Mapping[str, Any]) -> str:
    """Hash a release's values; the order of keys does not matter."""
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()


def inputs_from(state: Tree) -> Tree:
    """Take the inputs out of a state."""
    return {key: value for key, value in state.items() if key not in OUTPUT_ONLY and not key.startswith("__")}
