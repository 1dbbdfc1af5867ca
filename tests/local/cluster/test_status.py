"""When a cluster is well."""

from __future__ import annotations

from local.cluster.record import Record
from local.cluster.status import Status, deferred_parts, expected_processes


def test_a_cluster_is_well_only_with_all_its_parts() -> None:
    healthy = Status("up", "k", {"etcd": 7}, {"node-1": True}, {"a/b": (1, 1)})
    assert healthy.healthy
    assert not Status("up", "k", {"etcd": 0}).healthy
    assert not Status("up", "k", nodes={"node-1": False}).healthy
    assert not Status("up", "k", deployments={"a/b": (0, 1)}).healthy
    assert not Status("unfinished", "k").healthy


def test_a_bare_cluster_is_well_without_the_processes_of_metrics() -> None:
    assert "prometheus-adapter" in expected_processes(Record(1, ("storage", "metrics"), "boot"))
    assert not {"prometheus", "prometheus-adapter"} & set(expected_processes(Record(1, ("storage", "dns"), "boot")))


def test_a_cluster_is_well_without_what_comes_after_the_stack() -> None:
    waiting = Record(1, ("dns",), "boot", ("metrics",))
    whole = Record(1, ("dns", "metrics"), "boot")
    assert set(expected_processes(whole)) - set(expected_processes(waiting)) == {"prometheus", "prometheus-adapter"}
    assert Status("up", "k", deferred={"metrics": "being built"}).healthy


def test_how_far_the_deferred_parts_are_is_said() -> None:
    waiting = Record(1, ("dns",), "boot", ("metrics",))
    building = Record(1, ("dns",), "boot", ("metrics",), 1000.0)
    assert deferred_parts(waiting, 7, 1040.0) == {"metrics": "comes after the stack (process 7)"}
    assert deferred_parts(building, 7, 1040.4) == {"metrics": "being built, since 40 s (process 7)"}
    assert deferred_parts(building, None, 1040.4) == {"metrics": "not there yet: `make up` brings it"}
    assert deferred_parts(Record(1, ("metrics",), "boot"), 7, 0.0) == {}
