"""Nodes that are taken out of service while the stack runs on them: the budgets say how fast that may go."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest

from local.cluster import kubectl
from tests.e2e.system import wait_for
from tests.scale.machines import Object
from tests.scale.view import Cluster, ReadyPods, is_ready, part

GRANTED, REFUSED = 201, 429


@pytest.fixture
def whole(cluster: Cluster) -> Iterator[Counter[str]]:
    """How many ready pods each part has; all nodes are put back into service afterwards."""
    before = ready(cluster)
    yield before
    kubectl.run("uncordon", "--selector", "kubernetes.io/hostname")
    wait_until(cluster, before)


def ready(cluster: Cluster) -> Counter[str]:
    return Counter(part(pod) for pod in cluster.pods() if is_ready(pod))


def wait_until(cluster: Cluster, wanted: Counter[str]) -> None:
    wait_for("each part has its pods again", lambda: ready(cluster) == wanted, seconds=120)


def places(pods: list[Object]) -> set[str]:
    return {pod["spec"]["nodeName"] for pod in pods}


def assert_held(cluster: Cluster, seen: ReadyPods) -> None:
    held = cluster.budgets()
    assert held["api"]["status"]["desiredHealthy"] == 2
    least = {name: budget["status"]["desiredHealthy"] for name, budget in held.items()}
    assert {name: seen.ready[name] for name in held if seen.ready[name] < least[name]} == {}


def test_every_node_that_holds_a_part_is_emptied_at_once_and_no_budget_is_broken(
    cluster: Cluster, whole: Counter[str]
) -> None:
    former, budgets = cluster.pods(), cluster.budgets()
    guarded = [pod for pod in former if part(pod) in budgets]
    nodes = places(former)
    for node in nodes:
        cluster.cordon(node)

    with cluster.watched() as seen:
        answers = cluster.evict(guarded)
        granted = Counter(part(pod) for pod, answer in zip(guarded, answers, strict=True) if answer == GRANTED)
        assert granted == {name: budget["status"]["disruptionsAllowed"] for name, budget in budgets.items()}
        assert set(answers) == {GRANTED, REFUSED}

        left = [pod for pod in former if pod not in guarded]
        left += [pod for pod, answer in zip(guarded, answers, strict=True) if answer == REFUSED]

        def all_granted() -> bool:
            nonlocal left
            asked = cluster.evict(left)
            left = [pod for pod, answer in zip(left, asked, strict=True) if answer == REFUSED]
            return not left

        # A budget that blocks a drain for ever would keep this from ending.
        wait_for("every eviction is granted", all_granted, seconds=120)
        wait_until(cluster, whole)
        assert_held(cluster, seen)
    assert not places(cluster.pods()) & nodes


def test_kubectl_drains_all_nodes_of_the_api(cluster: Cluster, whole: Counter[str]) -> None:
    nodes = places(cluster.pods("api"))
    assert len(nodes) == whole["api"]
    with cluster.watched() as seen:
        kubectl.run("drain", *nodes, "--ignore-daemonsets", "--delete-emptydir-data", "--timeout=100s")
        wait_until(cluster, whole)
        assert_held(cluster, seen)
    assert not places(cluster.pods()) & nodes
