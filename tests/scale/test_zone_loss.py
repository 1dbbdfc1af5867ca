"""A whole zone is gone at once."""

from __future__ import annotations

import yaml

from local.cluster import kubectl
from tests.e2e.system import wait_for
from tests.scale.machines import ZONE, nodes
from tests.scale.view import Cluster, is_ready


def test_what_stood_in_a_lost_zone_comes_back_in_the_others(cluster: Cluster) -> None:
    labels, before = cluster.nodes(), cluster.by_part()
    zone = labels[before["api"][0]["spec"]["nodeName"]][ZONE]
    lost = {name for name in labels if labels[name][ZONE] == zone}
    # Volumes are their zone's: what needs one waits for the zone.
    free = {name for name, pods in before.items() if "persistentVolumeClaim" not in str(pods[0]["spec"].get("volumes"))}
    led_to = []

    def all_elsewhere() -> bool:
        led_to.append(cluster.served("task-manager"))
        now = cluster.by_part()
        return all(
            sum(is_ready(pod) and pod["spec"]["nodeName"] not in lost for pod in now[name]) == len(before[name])
            for name in free
        )

    assert {"api", "worker", "edge", "task-manager-pooler"} <= free
    try:
        with cluster.watched(without=lost) as seen:
            for name in lost:
                cluster.delete_node(name)
            wait_for("what needs no volume is whole again", all_elsewhere, seconds=180)
        assert seen.ready["api"] == 2
        assert min(led_to) >= 2
        assert all(seen.ready[name] >= 1 for name in ("edge", "task-manager-pooler", "task-manager-pooler-ro"))
        assert seen.ready["cache"] == len(before["cache"]) * 2 // 3
    finally:
        again = [node for node in nodes() if node["metadata"]["name"] in lost]
        kubectl.run("create", "-f", "-", stdin=yaml.safe_dump_all(again))
    wait_for(
        "the zone is back, and what waited for it",
        lambda: all(sum(map(is_ready, cluster.by_part()[name])) == len(pods) for name, pods in before.items()),
        seconds=120,
    )
