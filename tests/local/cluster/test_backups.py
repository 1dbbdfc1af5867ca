"""The backup plugin's manifest, certificates and credentials."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
import yaml
from cryptography import x509

from infra import names
from local import paths
from local.cluster import backups
from local.images import catalogue

MANIFEST = """
apiVersion: cert-manager.io/v1
kind: Issuer
metadata: {name: selfsigned-issuer}
---
apiVersion: v1
kind: Secret
metadata: {name: plugin-barman-cloud-1}
data: {SIDECAR_IMAGE: bWFpbg==}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: barman-cloud}
spec:
  template:
    spec:
      containers:
        - {name: barman-cloud, image: "example.org/testing:main"}
"""


def test_the_plugins_manifest_is_applied_with_images_of_a_release_and_without_cert_manager() -> None:
    secret, deployment = backups.plugin_objects(MANIFEST)
    assert base64.b64decode(secret["data"]["SIDECAR_IMAGE"]).decode() == catalogue.BACKUP_SIDECAR.reference
    [container] = deployment["spec"]["template"]["spec"]["containers"]
    assert container["image"] == catalogue.BACKUP_PLUGIN.reference


def test_plugin_and_operator_know_each_other_by_certificates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paths, "CERTIFICATES", tmp_path)
    chains = [
        x509.load_pem_x509_certificates(base64.b64decode(secret["data"]["tls.crt"]))
        for secret in backups.certificate_secrets()
    ]
    for own, authority in chains:
        own.verify_directly_issued_by(authority)
    hosts = chains[0][0].extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert hosts.get_values_for_type(x509.DNSName) == ["barman-cloud"], "the name of the plugin's Service"


def test_the_credentials_are_kept_and_brought_under_the_name_and_keys_that_the_program_asks_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paths, "CONFIG", tmp_path)
    known = backups.credentials()
    assert backups.credentials() == known
    secret = backups.secret_for("task-manager-phase3", known)
    assert secret["metadata"]["name"] == names.BACKUPS
    assert set(secret["stringData"]) == set(names.BACKUP_KEYS.values())


def test_the_stack_of_phase_3_writes_to_the_local_interface() -> None:
    config = yaml.safe_load((paths.ROOT / "Pulumi.phase3.yaml").read_text())["config"]
    manifest = list(yaml.safe_load_all((paths.MANIFESTS / "object-store.yaml").read_text()))
    [service] = [entry for entry in manifest if entry["kind"] == "Service"]
    [port] = service["spec"]["ports"]
    address = f"http://{service['metadata']['name']}.{service['metadata']['namespace']}.svc:{port['port']}"
    assert config["task-manager:backups"]["endpoint"] == address
    [deployment] = [entry for entry in manifest if entry["kind"] == "Deployment"]
    mounts = deployment["spec"]["template"]["spec"]["containers"][0]["volumeMounts"]
    assert f"/data/{config['task-manager:backups']['bucket']}" in {mount["mountPath"] for mount in mounts}
