"""The chart of a phase that copies the SQLite file's data to PostgreSQL."""

from __future__ import annotations

import pytest

from tests.contract.chart import Manifest, RenderError, manifests, objects, one, pod_specs, render, values_of

CARRYING = "phase2-carrying"


def named(kind: str, name: str) -> Manifest:
    [found] = [each for each in objects(CARRYING) if each["kind"] == kind and each["metadata"]["name"] == name]
    return found


def copy_pod() -> Manifest:
    template: Manifest = named("Job", "task-manager-carry-1")["spec"]["template"]
    return template


def test_the_data_is_copied_from_the_claim_of_phase_1_to_the_database_of_the_servers() -> None:
    former = one(objects("phase1"), "Deployment", "api")["spec"]["template"]["spec"]
    server = one(objects(CARRYING), "Deployment", "api")["spec"]["template"]["spec"]["containers"][0]
    spec = copy_pod()["spec"]
    [container] = spec["containers"]
    [claim] = [volume for volume in spec["volumes"] if volume["name"] == "former"]
    assert claim["persistentVolumeClaim"] in [volume.get("persistentVolumeClaim") for volume in former["volumes"]]
    [mount] = [mount for mount in container["volumeMounts"] if mount["name"] == "former"]
    assert container["args"][:2] == ["carry", f"{mount['mountPath']}/tasks.sqlite"]
    for field in ("image", "env", "securityContext"):
        assert container[field] == server[field]


def test_the_copy_runs_on_the_node_that_has_the_volume() -> None:
    [term] = copy_pod()["spec"]["affinity"]["podAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    asked = term["labelSelector"]["matchLabels"].items()
    former = one(objects("phase1"), "Deployment", "api")["spec"]["template"]["metadata"]["labels"]
    heir = one(objects(CARRYING), "Deployment", "api")["spec"]["template"]["metadata"]["labels"]
    assert asked <= former.items()
    assert asked <= copy_pod()["metadata"]["labels"].items(), "once the former pods are gone it may go anywhere"
    assert not asked <= heir.items()


def test_no_pod_uses_the_database_before_the_copy_is_complete() -> None:
    for kind, labels, spec in pod_specs(objects(CARRYING)):
        if kind == "Deployment":
            env = {variable["name"]: variable.get("value") for variable in spec["containers"][0]["env"]}
            assert env["APP_DATABASE_INHERITS"] == "true", labels


def test_the_rollout_deadline_covers_the_copy() -> None:
    rollout = one(objects(CARRYING), "Deployment", "api")["spec"]["progressDeadlineSeconds"]
    usual = one(objects("phase2"), "Deployment", "api")["spec"]["progressDeadlineSeconds"]
    assert rollout == usual + named("Job", "task-manager-carry-1")["spec"]["activeDeadlineSeconds"]


def test_requests_are_forwarded_to_the_new_pods_ready_or_not() -> None:
    service = named("Service", "task-manager-heirs")["spec"]
    args = copy_pod()["spec"]["containers"][0]["args"]
    assert args[args.index("--to") + 1] == f"http://task-manager-heirs:{service['ports'][0]['port']}"
    assert service["publishNotReadyAddresses"] is True
    heir = one(objects(CARRYING), "Deployment", "api")["spec"]["template"]["metadata"]["labels"]
    former = one(objects("phase1"), "Deployment", "api")["spec"]["template"]["metadata"]["labels"]
    assert service["selector"].items() <= heir.items()
    assert not service["selector"].items() <= former.items()


def test_the_node_port_of_phase_1_stays_open_and_lets_everybody_in() -> None:
    before, after = one(objects("phase1"), "Service"), named("Service", "task-manager")
    assert after["spec"]["type"] == "NodePort"
    assert after["spec"]["ports"][0]["nodePort"] == before["spec"]["ports"][0]["nodePort"]
    policy = one(objects(CARRYING), "NetworkPolicy", "api")["spec"]
    [served] = [rule for rule in policy["ingress"] if rule["ports"] == [{"port": "http"}]]
    assert "from" not in served
    assert one(objects("phase2"), "NetworkPolicy", "api")["spec"]["ingress"][0]["from"]


def test_each_release_has_a_job_of_its_own() -> None:
    """A Job's pod can't be changed, and a release may have another image."""
    assert named("Job", "task-manager-carry-1")["metadata"].get("annotations", {}).get("helm.sh/hook") is None


def test_without_the_claim_nothing_is_copied() -> None:
    for stack in ("phase1", "phase1-postgresql", "phase2"):
        found = {(each["kind"], each["metadata"]["name"]) for each in objects(stack)}
        assert not {name for _, name in found if "carry" in name or "heirs" in name}
    assert one(objects("phase2"), "Service")["spec"]["type"] == "ClusterIP"


def test_a_release_on_a_volume_copies_nothing() -> None:
    values = values_of("phase1")
    with pytest.raises(RenderError, match=r"carry: .* set persistence.enabled to false"):
        render({**values, "carry": {"claimName": "task-manager-data"}})
    assert manifests(render(values))
