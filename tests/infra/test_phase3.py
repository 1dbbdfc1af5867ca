"""Phase 3: autoscaled, reads from replicas."""

import pytest

from infra import names
from tests.infra.engine import Stack


def test_phase_3_scales_from_three_to_twelve(phase3: Stack) -> None:
    scaling = phase3.values["autoscaling"]
    assert (scaling["minReplicas"], scaling["maxReplicas"]) == (3, 12)


def test_phase_3_has_a_primary_and_three_replicas_one_of_which_confirms_each_write(phase3: Stack) -> None:
    spec = phase3.find("Cluster").inputs["spec"]
    assert spec["instances"] == 4
    synchronous = spec["postgresql"]["synchronous"]
    assert (synchronous["method"], synchronous["number"], synchronous["dataDurability"]) == ("any", 1, "required")


def test_reads_go_to_the_replicas_through_a_pooler_of_their_own(phase2: Stack, phase3: Stack) -> None:
    pooler = phase3.find("Pooler", names.DATABASE_REPLICA_POOLER).inputs["spec"]
    assert pooler["type"] == "ro"
    assert phase3.values["env"]["APP_DATABASE_REPLICA_HOST"] == names.DATABASE_REPLICA_POOLER
    assert "APP_DATABASE_REPLICA_HOST" not in phase2.values["env"]


@pytest.mark.parametrize(
    ("kind", "name", "labels"),
    [
        ("StatefulSet", names.CACHE, names.CACHE_LABELS),
        ("Deployment", names.EDGE, names.EDGE_LABELS),
        ("Pooler", names.DATABASE_POOLER, {"cnpg.io/poolerName": names.DATABASE_POOLER}),
        ("Pooler", names.DATABASE_REPLICA_POOLER, {"cnpg.io/poolerName": names.DATABASE_REPLICA_POOLER}),
    ],
)
def test_what_has_several_pods_prefers_different_nodes_and_zones_for_them_but_never_waits_for_one(
    phase3: Stack, kind: str, name: str, labels: dict[str, str]
) -> None:
    constraints = phase3.find(kind, name).inputs["spec"]["template"]["spec"]["topologySpreadConstraints"]
    assert {constraint["topologyKey"] for constraint in constraints} == {
        "kubernetes.io/hostname",
        "topology.kubernetes.io/zone",
    }
    for constraint in constraints:
        assert constraint["whenUnsatisfiable"] == "ScheduleAnyway"
        assert labels.items() <= constraint["labelSelector"]["matchLabels"].items()


def test_reads_are_spread_over_the_standbys_and_writes_keep_their_connection(phase3: Stack) -> None:
    poolers = {
        pooler.inputs["spec"]["type"]: pooler.inputs["spec"]["pgbouncer"]["parameters"]
        for pooler in phase3.objects
        if pooler.kind == "Pooler"
    }
    assert poolers["ro"]["server_round_robin"] == "1"
    assert int(poolers["ro"]["server_lifetime"]) <= 60
    assert "server_round_robin" not in poolers["rw"]
