"""Volumes for claims: when a directory is made, expanded and removed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from local.cluster.volumes import is_released, volume_for, wants_expansion, wants_volume


@pytest.fixture
def claim() -> dict[str, Any]:
    return {
        "metadata": {
            "name": "data",
            "namespace": "try",
            "uid": "0b0c",
            "annotations": {"volume.kubernetes.io/selected-node": "node-2"},
        },
        "spec": {
            "storageClassName": "standard",
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": "2Gi"}},
        },
    }


def test_a_claim_is_served_once_its_pod_has_been_placed(claim: dict[str, Any]) -> None:
    assert wants_volume(claim, {"standard"})
    claim["metadata"]["annotations"] = {}
    assert not wants_volume(claim, {"standard"})


def test_claims_of_other_classes_bound_ones_and_ones_that_go_are_left(claim: dict[str, Any]) -> None:
    assert not wants_volume(claim, {"fast"})
    bound = {**claim, "spec": {**claim["spec"], "volumeName": "pvc-1"}}
    assert not wants_volume(bound, {"standard"})
    going = {**claim, "metadata": {**claim["metadata"], "deletionTimestamp": "2030-01-01T00:00:00Z"}}
    assert not wants_volume(going, {"standard"})


@pytest.mark.parametrize(("capacity", "grows"), [("1Gi", True), ("2Gi", False), (None, False)])
def test_a_claim_that_asks_for_more_than_its_volume_has_gets_it(
    claim: dict[str, Any], capacity: str | None, *, grows: bool
) -> None:
    claim["status"] = {"capacity": {"storage": capacity}} if capacity else {}
    assert wants_expansion(claim, {"standard"}) is grows
    assert not wants_expansion(claim, {"fast"})


def test_a_volume_is_what_the_claim_asks_for_on_the_node_of_its_pod(claim: dict[str, Any]) -> None:
    volume = volume_for(claim, "Delete")
    assert volume["metadata"]["name"] == "pvc-0b0c"
    assert volume["spec"]["capacity"] == {"storage": "2Gi"}
    assert volume["spec"]["claimRef"]["uid"] == "0b0c"
    assert Path(volume["spec"]["hostPath"]["path"]).name == "pvc-0b0c"
    [term] = volume["spec"]["nodeAffinity"]["required"]["nodeSelectorTerms"]
    assert term["matchExpressions"][0]["values"] == ["node-2"]


@pytest.mark.parametrize(
    ("phase", "policy", "provisioner", "released"),
    [
        ("Released", "Delete", "primetrade.local/directory", True),
        ("Bound", "Delete", "primetrade.local/directory", False),
        ("Released", "Retain", "primetrade.local/directory", False),
        ("Released", "Delete", "someone.else/disk", False),
    ],
)
def test_a_directory_goes_with_its_claim_alone(phase: str, policy: str, provisioner: str, released: bool) -> None:
    volume = {
        "metadata": {"annotations": {"pv.kubernetes.io/provisioned-by": provisioner}},
        "spec": {"persistentVolumeReclaimPolicy": policy},
        "status": {"phase": phase},
    }
    assert is_released(volume) is released
