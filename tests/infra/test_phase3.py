"""Phase 3: autoscaled, reads from replicas."""

from typing import Any

from infra import names
from tests.infra import engine
from tests.infra.engine import Resource, Stack


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


def pods_of(resource: Resource) -> tuple[int, dict[str, Any], dict[str, str]]:
    """The number of a workload's pods, their specification, and the labels that they have beside others."""
    spec = resource.inputs["spec"]
    match resource.kind:
        case "Cluster":  # the operator's instances: their own constraints, and labels
            labels = {"cnpg.io/cluster": resource.object_name, "cnpg.io/podRole": "instance"}
            return int(spec["instances"]), spec, labels
        case "Pooler":
            return int(spec["instances"]), spec["template"]["spec"], {"cnpg.io/poolerName": resource.object_name}
        case "Elasticsearch":
            [nodes] = spec["nodeSets"]
            return int(nodes["count"]), nodes["podTemplate"]["spec"], nodes["podTemplate"]["metadata"]["labels"]
        case "Kibana":
            return int(spec["count"]), spec["podTemplate"]["spec"], spec["podTemplate"]["metadata"]["labels"]
        case _:
            template = spec["template"]
            return int(spec.get("replicas", 1)), template["spec"], template["metadata"]["labels"]


def test_what_has_several_pods_prefers_different_nodes_and_zones_for_them_but_never_waits_for_one() -> None:
    config = {**engine.stack_file("phase3"), "task-manager:logs.destination": "operator"}
    kinds = ("StatefulSet", "Deployment", "Cluster", "Pooler", "Elasticsearch", "Kibana")
    spread = set()
    for resource in engine.run(config).objects:
        if resource.kind not in kinds:
            continue
        number, spec, labels = pods_of(resource)
        if number == 1:
            continue
        spread.add(resource.object_name)
        constraints = spec["topologySpreadConstraints"]
        assert [constraint["topologyKey"] for constraint in constraints] == [
            "kubernetes.io/hostname",
            "topology.kubernetes.io/zone",
        ], resource.object_name
        for constraint in constraints:
            assert constraint["whenUnsatisfiable"] == "ScheduleAnyway", resource.object_name
            assert constraint["labelSelector"]["matchLabels"].items() <= labels.items(), resource.object_name
    assert spread == {
        names.CACHE,
        names.EDGE,
        names.DATABASE_CLUSTER,
        names.DATABASE_POOLER,
        names.DATABASE_REPLICA_POOLER,
        names.LOGS,
    }


def test_reads_are_spread_over_the_standbys_and_writes_keep_their_connection(phase3: Stack) -> None:
    poolers = {
        pooler.inputs["spec"]["type"]: pooler.inputs["spec"]["pgbouncer"]["parameters"]
        for pooler in phase3.objects
        if pooler.kind == "Pooler"
    }
    assert poolers["ro"]["server_round_robin"] == "1"
    assert int(poolers["ro"]["server_lifetime"]) <= 60
    assert "server_round_robin" not in poolers["rw"]
