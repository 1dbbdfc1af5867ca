"""Claims that a StatefulSet has made become resources of the program, and grow, on a real API server."""

from collections.abc import Iterator
from typing import Any

import pytest

from local.plugins.kubernetes_provider.client import Client
from tests.plugins.live.objects import exists, wait_for
from tests.plugins.live.project import Project


@pytest.fixture
def storage_class(client: Client, namespace: str) -> Iterator[str]:
    """A class whose volumes can grow, with one volume."""
    volume = {
        "metadata": {"name": namespace},
        "spec": {
            "storageClassName": namespace,
            "capacity": {"storage": "5Gi"},
            "accessModes": ["ReadWriteOnce"],
            "hostPath": {"path": "/nowhere"},
        },
    }
    made = {
        "/apis/storage.k8s.io/v1/storageclasses": {
            "metadata": {"name": namespace},
            "provisioner": "kubernetes.io/no-provisioner",
            "allowVolumeExpansion": True,
        },
        "/api/v1/persistentvolumes": volume,
    }
    for path, obj in made.items():
        client.request("POST", path, body=obj)
    yield namespace
    for path in made:
        client.request("DELETE", f"{path}/{namespace}")


def stateful_set(namespace: str, storage_class: str, size: str, options: str) -> str:
    """Give a program of a StatefulSet whose pods want a volume of this size."""
    return f"""
        spec = {{
            "access_modes": ["ReadWriteOnce"],
            "storage_class_name": "{storage_class}",
            "resources": {{"requests": {{"storage": "{size}"}}}},
        }}
        apps.StatefulSet(
            "servers",
            metadata={{
                "name": "servers", "namespace": "{namespace}", "annotations": {{"pulumi.com/skipAwait": "true"}}
            }},
            spec={{
                "service_name": "servers",
                "selector": {{"match_labels": {{"app": "servers"}}}},
                "template": {{
                    "metadata": {{"labels": {{"app": "servers"}}}},
                    "spec": {{"containers": [{{"name": "server", "image": "example.org/server:1"}}]}},
                }},
                "volume_claim_templates": [{{"metadata": {{"name": "data"}}, "spec": spec}}],
            }},
            opts=opts({options}),
        )
    """


def with_claim(namespace: str, storage_class: str, size: str) -> str:
    """Give the same program with the claim as a resource."""
    servers = stateful_set(namespace, storage_class, size, 'ignore_changes=["spec.volumeClaimTemplates"]')
    return f"""{servers}
        core.PersistentVolumeClaim(
            "claim",
            metadata={{
                "name": "data-servers-0",
                "namespace": "{namespace}",
                "annotations": {{"pulumi.com/skipAwait": "true", "pulumi.com/patchForce": "true"}},
            }},
            spec=spec,
            opts=opts(provider=Provider("adopting", upsert_existing_objects=True), retain_on_delete=True),
        )
    """


def test_the_claims_of_a_stateful_set_are_taken_over_and_grow_and_nothing_is_replaced(
    project: Project, client: Client, namespace: str, storage_class: str
) -> None:
    claim = f"/api/v1/namespaces/{namespace}/persistentvolumeclaims/data-servers-0"
    servers = f"/apis/apps/v1/namespaces/{namespace}/statefulsets/servers"

    def bound() -> bool:
        return exists(client, claim) and client.get(claim)["status"].get("phase") == "Bound"

    def kept() -> Any:
        return client.get(servers)["metadata"]["uid"], client.get(claim)["metadata"]["uid"]

    project.program(stateful_set(namespace, storage_class, "1Gi", ""))
    project.up().ok()
    wait_for(bound, "the claim is bound")
    before = kept()
    for size in ("1Gi", "3Gi"):
        project.program(with_claim(namespace, storage_class, size))
        assert "replaced" not in project.up().ok()
        assert kept() == before
        assert client.get(claim)["spec"]["resources"]["requests"]["storage"] == size
    project.up("--expect-no-changes").ok()
    project.program(stateful_set(namespace, storage_class, "1Gi", 'ignore_changes=["spec.volumeClaimTemplates"]'))
    project.up().ok()
    assert kept() == before, "a claim that the program no longer names stays"
