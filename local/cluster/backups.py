"""Backups of PostgreSQL in the local cluster: the operator's Barman Cloud plugin, and an S3 gateway to write to.

Elsewhere cert-manager makes the plugin's certificates, and External Secrets brings a bucket's credentials into the
namespaces of the stacks; here this module does both.
"""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Iterator
from typing import Any

import requests
import yaml

from local import paths
from local.cluster import certificates, controller, kubectl
from local.cluster.controller import Object
from local.host.files import write_private
from local.images import catalogue
from local.tools import go_tools

PLUGIN_MODULE = ("github.com/cloudnative-pg/plugin-barman-cloud", f"v{catalogue.BACKUP_PLUGIN_VERSION}")
OPERATOR_NAMESPACE = "cnpg-system"
REGION = "us-east-1"

AUTHORITY = "backups-ca"
STACKS = "/api/v1/namespaces?labelSelector=task-manager/stack"
SECRET = "task-manager-backups"  # noqa: S105 - a Secret's name


def plugin_objects(manifest: str, *, with_certificates: bool = False) -> Iterator[Object]:
    """Yield what the plugin's own manifest makes, with our images.

    Args:
        manifest: the plugin's.
        with_certificates: whether to keep what asks for cert-manager.
    """
    for wanted in yaml.safe_load_all(manifest):
        if wanted["apiVersion"].startswith("cert-manager.io/") and not with_certificates:
            continue
        if "SIDECAR_IMAGE" in wanted.get("data", {}):
            wanted["data"]["SIDECAR_IMAGE"] = _encoded(catalogue.BACKUP_SIDECAR.reference.encode())
        if wanted["kind"] == "Deployment":
            [container] = wanted["spec"]["template"]["spec"]["containers"]
            container["image"] = catalogue.BACKUP_PLUGIN.reference
        yield wanted


def _encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _certificate_secret(name: str, files: certificates.KeyPair) -> Object:
    # With its authority: each side trusts what it finds in the other's file, and a client shows its certificate only to
    # a server that names the issuer as trusted.
    chain = files.certificate.read_bytes() + certificates.key_pair(AUTHORITY).certificate.read_bytes()
    data = {"tls.crt": _encoded(chain), "tls.key": _encoded(files.key.read_bytes())}
    metadata = {"name": name, "namespace": OPERATOR_NAMESPACE}
    return {"apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/tls", "metadata": metadata, "data": data}


def certificate_secrets() -> list[Object]:
    """Return the Secrets with the certificates of the operator and the plugin (mutual TLS)."""
    certificates.ensure_authority(AUTHORITY)
    server = certificates.issue("barman-cloud-server", AUTHORITY, "barman-cloud", hosts=("barman-cloud",))
    client = certificates.issue("barman-cloud-client", AUTHORITY, "barman-cloud-client")
    return [
        _certificate_secret("barman-cloud-server-tls", server),
        _certificate_secret("barman-cloud-client-tls", client),
    ]


def credentials() -> dict[str, str]:
    """Return the access key of the S3 gateway: made once, and kept as long as the cluster."""
    kept = paths.CONFIG / "object-store.json"
    if not kept.exists():
        write_private(kept, json.dumps({"access_key": "local", "secret_key": secrets.token_urlsafe(24)}))
    known: dict[str, str] = json.loads(kept.read_text())
    return known


def secret_for(namespace: str, known: dict[str, str]) -> Object:
    """Return the Secret with the credentials for a stack's database."""
    values = {"access-key-id": known["access_key"], "secret-access-key": known["secret_key"], "region": REGION}
    metadata = {"name": SECRET, "namespace": namespace}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": values}


def reconcile(session: requests.Session) -> None:
    """Create the Secret in each stack's namespace that lacks it."""
    have = {
        found["metadata"]["namespace"]
        for found in controller.items(session, f"/api/v1/secrets?fieldSelector=metadata.name={SECRET}")
    }
    for stack in controller.items(session, STACKS):
        name = stack["metadata"]["name"]
        if name not in have and "deletionTimestamp" not in stack["metadata"]:
            controller.create(session, f"/api/v1/namespaces/{name}/secrets", secret_for(name, credentials()))


def plugin_manifest() -> str:
    """Return the manifest of the plugin, with its CustomResourceDefinition."""
    return (go_tools.module_source(*PLUGIN_MODULE) / "manifest.yaml").read_text()


def install_bucket() -> None:
    """Install the S3 gateway with its bucket."""
    kubectl.apply(kubectl.render("object-store", **credentials()))
    kubectl.wait_rollout("object-store", "s3")


def install_plugin() -> None:
    """Install the plugin."""
    wanted: list[Any] = [*certificate_secrets(), *plugin_objects(plugin_manifest())]
    kubectl.apply(yaml.safe_dump_all(wanted))
    kubectl.wait_rollout(OPERATOR_NAMESPACE, "barman-cloud")


if __name__ == "__main__":
    controller.keep(reconcile)
