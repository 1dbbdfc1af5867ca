"""The API's autoscaler on load that only its highest number of pods could answer, or not even that."""

from __future__ import annotations

import time
from itertools import pairwise

from infra.names import ALL
from infra.phases import PHASES
from tests.e2e.system import wait_for
from tests.scale.demand import Demand
from tests.scale.machines import Object
from tests.scale.view import Cluster, is_ready, skew

API = PHASES[3].services[ALL].api
CHARTS_WAY_DOWN = {"stabilizationWindowSeconds": 300, "policies": [{"type": "Pods", "value": 1, "periodSeconds": 60}]}
SHORT_WAY_DOWN = {"stabilizationWindowSeconds": 0, "policies": [{"type": "Pods", "value": 1, "periodSeconds": 3}]}
"""The chart's, with five minutes left out and a minute as three seconds: it would take a quarter of an hour."""


def reason(autoscaler: Object, condition: str) -> str:
    found = (entry for entry in autoscaler["status"]["conditions"] if entry["type"] == condition)
    return next((entry["reason"] for entry in found), "")


def ready(cluster: Cluster) -> int:
    return sum(map(is_ready, cluster.pods("api")))


def test_load_brings_as_many_pods_as_there_may_be_and_its_end_takes_them_away_one_by_one(
    cluster: Cluster, demand: Demand
) -> None:
    least, most = API.min_replicas, API.max_replicas
    assert API.requests_per_second is not None
    wait_for(
        "the autoscaler sees both metrics", lambda: reason(cluster.autoscaler(), "ScalingActive") == "ValidMetricFound"
    )
    assert ready(cluster) == least

    with cluster.watched() as seen:
        # Twice what the highest number of pods is there for.
        demand.requests = 2.0 * most * API.requests_per_second
        wait_for(f"{most} pods are ready", lambda: ready(cluster) == most, seconds=180)
        wait_for("it wants more still", lambda: reason(cluster.autoscaler(), "ScalingLimited") == "TooManyReplicas")
        assert cluster.autoscaler()["status"]["desiredReplicas"] == most
        assert seen.most["api"] == most
        assert seen.ready["api"] == least

    pods, nodes = cluster.pods("api"), cluster.nodes()
    for constraint in pods[0]["spec"]["topologySpreadConstraints"]:
        assert skew(constraint, pods, nodes) <= constraint["maxSkew"], constraint["topologyKey"]

    scale_down = cluster.autoscaler()["spec"]["behavior"]["scaleDown"]
    assert {key: scale_down[key] for key in CHARTS_WAY_DOWN} == CHARTS_WAY_DOWN
    demand.requests = 10.0
    wait_for("it waits", lambda: reason(cluster.autoscaler(), "AbleToScale") == "ScaleDownStabilized", seconds=120)
    assert ready(cluster) == most

    cluster.scale_down_by(SHORT_WAY_DOWN)
    wanted = [most]

    def is_down() -> bool:
        wanted.append(cluster.autoscaler()["status"]["desiredReplicas"])
        return wanted[-1] == least

    with cluster.watched() as seen:
        began = time.monotonic()
        wait_for(f"{least} pods are wanted", is_down, seconds=180)
        took = time.monotonic() - began
        wait_for(f"{least} pods are left", lambda: ready(cluster) == len(cluster.pods("api")) == least)
        assert seen.ready["api"] == least
    cluster.scale_down_by(CHARTS_WAY_DOWN)
    steps = {before - after for before, after in pairwise(wanted)}
    assert steps <= {0, 1}, wanted
    assert took >= 3.0 * (most - least - 1)
