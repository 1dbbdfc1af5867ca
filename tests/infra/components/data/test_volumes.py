"""Volumes: each is there under its own name, can grow without anything being replaced, and outlives its pod."""

from dataclasses import replace

import pytest

from infra import names, phases
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


def test_a_volume_that_grows_in_the_phase_table_changes_its_claims_alone(
    monkeypatch: pytest.MonkeyPatch, phase3: Stack
) -> None:
    row = PHASES[3]
    assert row.cache is not None
    monkeypatch.setitem(phases.PHASES, 3, replace(row, cache=replace(row.cache, storage=7)))
    grown = engine.run(engine.stack_file("phase3"), "phase3")
    servers = grown.find("StatefulSet", names.CACHE)
    assert servers.ignored == ("spec.volumeClaimTemplates",), "the API server refuses another one"
    mine = [name for name in claims(grown) if name.startswith(f"data-{names.CACHE}-")]
    assert len(mine) == 6
    assert {size(claims(phase3)[name]) for name in mine} == {"2Gi"}
    assert {size(claims(grown)[name]) for name in mine} == {"7Gi"}


@pytest.mark.parametrize("variant", ["phase2", "phase3"])
def test_the_databases_volumes_have_the_size_that_the_stack_sets(variant: str) -> None:
    def storage(**more: str) -> str:
        stack = engine.run({**engine.stack_file(variant), **more}, variant)
        return str(stack.find("Cluster").inputs["spec"]["storage"]["size"])

    assert storage() == "10Gi"
    assert storage(**{"task-manager:database_storage": "25"}) == "25Gi"


def test_the_file_of_sqlite_has_a_volume_of_the_size_that_the_stack_sets(phase1: Stack) -> None:
    grown = engine.run({**engine.stack_file("phase1"), "task-manager:database_storage": "25"}, "phase1")
    former, now = claims(phase1)[names.DATA_CLAIM], claims(grown)[names.DATA_CLAIM]
    assert (size(former), size(now)) == ("5Gi", "25Gi")
    assert former.urn == now.urn


@pytest.mark.parametrize("variant", ["phase3", "phase3-operator"])
def test_the_alert_about_a_full_volume_knows_how_large_it_is(variants: dict[str, Stack], variant: str) -> None:
    said = "task_manager:database_volume:bytes"
    texts = [str(each.inputs) for each in variants[variant].objects if each.kind in ("ConfigMap", "PrometheusRule")]
    assert [text for text in texts if said in text and str(10 * 1024**3) in text]
