"""Helm's own record of a release: one Secret a revision, with manifest, hooks and their outcomes."""

import base64
import gzip
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from local.plugins.kubernetes_provider.client import Client
from local.plugins.kubernetes_provider.errors import ApiError
from local.plugins.kubernetes_provider.objects import Object, dig

DEPLOYED = "deployed"
FAILED = "failed"
PENDING_INSTALL = "pending-install"
PENDING = frozenset({PENDING_INSTALL, "pending-upgrade", "pending-rollback"})
# A revision that once ran well, and can be gone back to.
_GOOD = frozenset({DEPLOYED, "superseded"})


@dataclass(frozen=True)
class Hook:
    """A hook of a revision and how its last run went."""

    kind: str
    name: str
    events: tuple[str, ...]
    phase: str


@dataclass(frozen=True)
class Record:
    """One revision of a release. `values` are what the user gave, secrets included."""

    name: str
    namespace: str
    revision: int
    status: str
    description: str
    chart: Mapping[str, Any] = field(repr=False)
    values: Mapping[str, Any] = field(repr=False)
    manifest: str = field(repr=False)
    hooks: tuple[Hook, ...] = ()

    def objects(self) -> list[Object]:
        """Give the objects of the manifest, without the hooks."""
        return [
            obj for obj in yaml.load_all(self.manifest, Loader=_LOADER) if isinstance(obj, dict) and obj.get("kind")
        ]


# The C parser reads a chart's manifest in a tenth of the time; PyYAML may come without it.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def records(client: Client, namespace: str, name: str) -> list[Record]:
    """Read all revisions of a release that helm has kept, oldest first; none when there is no such release."""
    query = {"labelSelector": f"owner=helm,name={name}"}
    try:
        items = client.get(f"/api/v1/namespaces/{namespace}/secrets", query).get("items") or []
    except ApiError as error:
        if error.code == 404:
            return []
        raise
    found = [parse(item["data"]["release"]) for item in items if dig(item, "data", "release")]
    return sorted(found, key=lambda record: record.revision)


def latest(client: Client, namespace: str, name: str) -> Record | None:
    """Read the newest revision of a release; None when there is none, or none but an uninstalled one."""
    query = {"labelSelector": f"owner=helm,name={name}"}
    path = f"/api/v1/namespaces/{namespace}/secrets"
    try:
        # The records are large: look at the labels first, then read the newest only.
        items = client.get(path, query, accept=_METADATA_ONLY).get("items") or []
        if not items:
            return None
        newest = max(items, key=lambda item: int(dig(item, "metadata", "labels", "version", default=0)))
        secret = client.get(f"{path}/{newest['metadata']['name']}")
    except ApiError as error:
        if error.code == 404:
            return None
        raise
    record = parse(secret["data"]["release"])
    return None if record.status == "uninstalled" else record


def release_names(client: Client, namespace: str) -> list[str]:
    """List the releases of a namespace that helm has a record of."""
    path = f"/api/v1/namespaces/{namespace}/secrets"
    items = client.get(path, {"labelSelector": "owner=helm"}, accept=_METADATA_ONLY).get("items") or []
    return sorted({item["metadata"]["labels"]["name"] for item in items})


_METADATA_ONLY = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json"


def parse(data: str) -> Record:
    """Read a record as it stands in its Secret: base64 of the Secret, base64 of helm, gzip, JSON."""
    release = json.loads(gzip.decompress(base64.b64decode(base64.b64decode(data))))
    info = release.get("info") or {}
    return Record(
        name=release["name"],
        namespace=release.get("namespace", ""),
        revision=int(release["version"]),
        status=str(info.get("status", "")),
        description=str(info.get("description", "")),
        chart=dig(release, "chart", "metadata", default={}),
        values=release.get("config") or {},
        manifest=release.get("manifest") or "",
        hooks=tuple(_hook(hook) for hook in release.get("hooks") or []),
    )


def _hook(hook: dict[str, Any]) -> Hook:
    return Hook(
        kind=str(hook.get("kind", "")),
        name=str(hook.get("name", "")),
        events=tuple(hook.get("events") or ()),
        phase=str(dig(hook, "last_run", "phase", default="")),
    )


def last_good(found: list[Record]) -> Record | None:
    """Give the newest revision that ran well."""
    return next((record for record in reversed(found) if record.status in _GOOD), None)
