"""Helm hooks: the migration before a release, and the test after it."""

from __future__ import annotations

import pytest

from infra.components.workload.chart import CHART
from tests.contract.chart import ROOT, STACKS, Manifest, manifests, objects, one, render, values_of

every_stack = pytest.mark.parametrize("stack", STACKS)


def hook(manifest: Manifest) -> tuple[set[str], set[str]]:
    """Return the events of a hook, and when it is deleted."""
    annotations = manifest["metadata"]["annotations"]
    return set(annotations["helm.sh/hook"].split(",")), set(annotations["helm.sh/hook-delete-policy"].split(","))


@every_stack
def test_the_migration_runs_once_before_each_release_and_a_failed_one_stays_to_be_read(stack: str) -> None:
    events, deleted = hook(one(objects(stack), "Job", "migrations"))
    assert events == {"pre-install", "pre-upgrade"}
    assert deleted == {"before-hook-creation", "hook-succeeded"}


@every_stack
def test_the_migration_sees_what_the_server_sees(stack: str) -> None:
    server = one(objects(stack), "Deployment", "api")["spec"]["template"]["spec"]
    migration = one(objects(stack), "Job", "migrations")["spec"]["template"]["spec"]
    [serving], [migrating] = server["containers"], migration["containers"]
    assert migrating["args"] == ["migrate", "--service", values_of(stack)["apiService"]]
    for field in ("image", "imagePullPolicy", "env", "volumeMounts", "securityContext"):
        assert migrating[field] == serving[field]
    for field in ("volumes", "securityContext", "automountServiceAccountToken"):
        assert migration[field] == server[field]


@every_stack
def test_the_migration_needs_nothing_that_comes_after_it(stack: str) -> None:
    spec = one(objects(stack), "Job", "migrations")["spec"]["template"]["spec"]
    assert spec["serviceAccountName"] == "default"
    assert all("configMap" not in volume for volume in spec["volumes"])
    assert all("configMapKeyRef" not in variable.get("valueFrom", {}) for variable in spec["containers"][0]["env"])


@every_stack
def test_a_migration_ends(stack: str) -> None:
    job = one(objects(stack), "Job", "migrations")["spec"]
    assert job["activeDeadlineSeconds"] <= 600
    assert job["template"]["spec"]["restartPolicy"] == "Never"


@every_stack
def test_a_bad_setting_fails_the_migration_at_the_first_try(stack: str) -> None:
    job = one(objects(stack), "Job", "migrations")["spec"]
    first = job["podFailurePolicy"]["rules"][0]
    assert first["action"] == "FailJob"
    assert first["onExitCodes"] == {
        "containerName": job["template"]["spec"]["containers"][0]["name"],
        "operator": "In",
        "values": [2],
    }


def test_migrations_can_be_left_to_someone_else() -> None:
    found = manifests(render({**values_of("phase2"), "migrations": {"enabled": False}}))
    assert "Job" not in {manifest["kind"] for manifest in found}


@every_stack
def test_the_test_asks_the_service_of_the_release(stack: str) -> None:
    found = objects(stack)
    pod, script, service = one(found, "Pod"), one(found, "ConfigMap"), one(found, "Service", "api")
    assert hook(pod) == hook(script) == ({"test"}, {"before-hook-creation", "hook-succeeded"})
    weight = "helm.sh/hook-weight"
    assert int(script["metadata"]["annotations"][weight]) < int(pod["metadata"]["annotations"][weight])
    [container] = pod["spec"]["containers"]
    address = f"http://{service['metadata']['name']}:{service['spec']['ports'][0]['port']}"
    name = values_of(stack)["apiService"]
    former = "http://task-manager:8000"  # has the keys of tokens until auth has moved
    issuer = [] if name in ("all", "auth") else [former if "-moving-" in stack else "http://task-manager-auth:8000"]
    assert container["command"] == ["python", "/smoke/smoke.py", "--service", name, address, *issuer]
    assert container["volumeMounts"][0]["mountPath"] == "/smoke"
    assert pod["spec"]["volumes"][0]["configMap"]["name"] == script["metadata"]["name"]


def test_the_script_of_the_test_arrives_as_it_is_in_the_chart() -> None:
    script = one(objects("phase1"), "ConfigMap")["data"]["smoke.py"]
    assert script.strip() == (ROOT / CHART / "files" / "smoke.py").read_text().strip()
