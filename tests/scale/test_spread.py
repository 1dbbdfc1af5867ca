"""The spread of phase 3's pods over a hundred nodes."""

from __future__ import annotations

from infra.names import ALL
from infra.phases import PHASES
from tests.scale.machines import NODES, ZONE, ZONES
from tests.scale.view import Cluster, domain, is_ready, skew

ROW = PHASES[3]


def test_every_part_of_the_phase_is_there(cluster: Cluster) -> None:
    assert ROW.cache is not None
    assert ROW.varnish is not None
    ready = {part: sum(map(is_ready, pods)) for part, pods in cluster.by_part().items()}
    wanted = {
        "api": ROW.services[ALL].api.min_replicas,
        "cache": ROW.cache.servers,
        "edge": ROW.varnish.replicas,
        "task-manager-pooler": ROW.postgresql.poolers,
        "task-manager-pooler-ro": ROW.postgresql.replica_poolers,
        "task-manager-database": ROW.postgresql.instances,
    }
    assert len(cluster.nodes()) == NODES
    assert {part: ready.get(part) for part in wanted} == wanted


def test_no_two_pods_of_a_part_share_a_node(cluster: Cluster) -> None:
    # The cache's are its masters and its replicas: a node never takes both.
    shared = {
        part: hosts
        for part, pods in cluster.by_part().items()
        if len(hosts := [pod["spec"]["nodeName"] for pod in pods]) != len(set(hosts))
    }
    assert not shared


def test_no_zone_holds_all_of_a_part(cluster: Cluster) -> None:
    nodes = cluster.nodes()
    zones = {
        part: sorted(domain(pod, ZONE, nodes) for pod in pods)
        for part, pods in cluster.by_part().items()
        if len(pods) > 1
    }
    narrow = {part: found for part, found in zones.items() if len(set(found)) < min(len(found), len(ZONES))}
    assert not narrow


def test_no_constraint_is_exceeded(cluster: Cluster) -> None:
    nodes = cluster.nodes()
    exceeded = {
        (part, constraint["topologyKey"]): found
        for part, pods in cluster.by_part().items()
        for constraint in pods[0]["spec"].get("topologySpreadConstraints", [])
        if (found := skew(constraint, pods, nodes)) > constraint["maxSkew"]
    }
    assert not exceeded
