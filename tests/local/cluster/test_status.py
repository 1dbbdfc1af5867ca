"""When a cluster is well."""

from __future__ import annotations

from local.cluster.status import Status, expected_processes


def test_a_cluster_is_well_only_with_all_its_parts() -> None:
    healthy = Status("up", "k", {"etcd": 7}, {"node-1": True}, {"a/b": (1, 1)})
    assert healthy.healthy
    assert not Status("up", "k", {"etcd": 0}).healthy
    assert not Status("up", "k", nodes={"node-1": False}).healthy
    assert not Status("up", "k", deployments={"a/b": (0, 1)}).healthy
    assert not Status("unfinished", "k").healthy


def test_a_bare_cluster_is_well_without_the_processes_of_metrics() -> None:
    assert "prometheus-adapter" in expected_processes(1, ["storage", "metrics"])
    assert not {"prometheus", "prometheus-adapter"} & set(expected_processes(1, ["storage", "dns"]))
