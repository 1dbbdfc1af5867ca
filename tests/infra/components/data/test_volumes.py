"""Volumes: each is there under its own name, can grow without anything being replaced, and outlives its pod."""

from dataclasses import replace

import pytest

from infra import names
from infra.components.data.database import parameters
from infra.phases import PHASES
from tests.infra import engine
from tests.infra.engine import Resource, Stack


def claims(stack: Stack) -> dict[str, Resource]:
    return {each.object_name: each for each in stack.objects if each.kind == "PersistentVolumeClaim"}


def size(claim: Resource) -> str:
    return str(claim.inputs["spec"]["resources"]["requests"]["storage"])


def test_each_pod_of_a_stateful_set_finds_its_claim(stack: Stack) -> None:
    for servers in stack.objects:
        if servers.kind == "StatefulSet":
            spec = servers.inputs["spec"]
            [template] = spec["volumeClaimTemplates"]
            for index in range(int(spec["replicas"])):
                claim = claims(stack)[f"{template['metadata']['name']}-{servers.object_name}-{index}"]
                assert claim.inputs["spec"] == template["spec"]
                assert claim.urn in servers.dependencies
                assert claim.retain, "it outlives its pod, as a StatefulSet's own does"


def test_the_claims_of_a_stack_that_has_them_already_are_taken_over_whoever_has_set_their_size(phase3: Stack) -> None:
    [adopting] = [each for each in phase3.resources if each.name == "cluster-adopting"]
    assert adopting.inputs["upsertExistingObjects"] == "true"
    for claim in claims(phase3).values():
        assert claim.provider.startswith(adopting.urn)
        assert claim.inputs["metadata"]["annotations"]["pulumi.com/patchForce"] == "true"


@pytest.mark.parametrize(
    ("stack", "setting", "servers"),
    [
        ("phase3", "cache.storage", names.CACHE),
        ("phase3", "broker.storage", names.BROKER),
        ("phase3", "monitoring.storage", names.PROMETHEUS),
        ("phase4", "rabbitmq.storage", names.RABBITMQ),
    ],
)
def test_a_volume_that_grows_changes_its_claims_and_replaces_nothing(stack: str, setting: str, servers: str) -> None:
    former = engine.run(engine.stack_file(stack), stack)
    grown = engine.run({**engine.stack_file(stack), f"task-manager:{setting}": 70}, stack)
    mine = {name for name in claims(grown) if name.startswith(f"data-{servers}-")}
    assert len(mine) == grown.find("StatefulSet", servers).inputs["spec"]["replicas"]
    assert {name for name, claim in claims(grown).items() if size(claim) == "70Gi"} == mine
    assert {claim.urn for claim in claims(grown).values()} == {claim.urn for claim in claims(former).values()}


def test_the_template_of_a_stateful_sets_claims_stays_what_it_was(stack: Stack) -> None:
    """The API server refuses another one, and the providers would replace the set."""
    for servers in stack.objects:
        if servers.kind == "StatefulSet":
            assert servers.ignored == ("spec.volumeClaimTemplates",), servers.name


def test_the_write_ahead_log_has_a_volume_of_its_own_where_the_stack_wants_one(phase2: Stack) -> None:
    config = {**engine.stack_file("phase2"), "task-manager:database.wal_storage": 20}
    own = engine.run({**config, "task-manager:storage_class": "fast"}, "phase2").find("Cluster")
    assert "walStorage" not in phase2.find("Cluster").inputs["spec"]
    assert own.inputs["spec"]["walStorage"] == {"size": "20Gi", "storageClass": "fast"}
    assert own.urn == phase2.find("Cluster").urn


@pytest.mark.parametrize("gibibytes", [1, 4, 20])
def test_the_log_leaves_room_on_its_own_volume_whatever_is_held_back(gibibytes: int) -> None:
    said = parameters(replace(PHASES[2].postgresql, wal_storage=gibibytes))
    kept, between_checkpoints = (
        int(said[name].removesuffix("MB")) for name in ("max_slot_wal_keep_size", "max_wal_size")
    )
    assert kept + between_checkpoints <= 0.75 * gibibytes * 1024
    assert between_checkpoints > 80, "the operator refuses one below min_wal_size"


@pytest.mark.parametrize("variant", ["phase2", "phase3"])
def test_the_databases_volumes_have_the_size_that_the_stack_sets(variant: str) -> None:
    def storage(**more: str) -> str:
        stack = engine.run({**engine.stack_file(variant), **more}, variant)
        return str(stack.find("Cluster").inputs["spec"]["storage"]["size"])

    assert storage() == "10Gi"
    assert storage(**{"task-manager:database.storage": "25"}) == "25Gi"


def test_the_file_of_sqlite_has_a_volume_of_the_size_that_the_stack_sets(phase1: Stack) -> None:
    grown = engine.run({**engine.stack_file("phase1"), "task-manager:database.storage": "25"}, "phase1")
    former, now = claims(phase1)[names.DATA_CLAIM], claims(grown)[names.DATA_CLAIM]
    assert (size(former), size(now)) == ("5Gi", "25Gi")
    assert former.urn == now.urn


@pytest.mark.parametrize("variant", ["phase3", "phase3-operator"])
def test_the_alert_about_a_full_volume_knows_how_large_it_is(variants: dict[str, Stack], variant: str) -> None:
    said = "task_manager:database_volume:bytes"
    texts = [str(each.inputs) for each in variants[variant].objects if each.kind in ("ConfigMap", "PrometheusRule")]
    assert [text for text in texts if said in text and str(10 * 1024**3) in text]
