"""Processor time by part, from the resource metrics of kubelets."""

import pytest

from bench import processor_time

METRICS = """# HELP container_cpu_usage_seconds_total [STABLE] Cumulative cpu time
# TYPE container_cpu_usage_seconds_total counter
container_cpu_usage_seconds_total{container="api",namespace="ours",pod="task-manager-tasks-1"} 1.5 1796106542005
container_cpu_usage_seconds_total{container="api",namespace="theirs",pod="task-manager-tasks-1"} 9 1796106542005
# HELP container_memory_working_set_bytes [STABLE] Current working set
# TYPE container_memory_working_set_bytes gauge
container_memory_working_set_bytes{container="api",namespace="ours",pod="task-manager-tasks-1"} 7 1796106542005
"""


def test_usage_is_the_processor_seconds_of_the_containers_of_one_namespace() -> None:
    assert processor_time.read_usage(METRICS, "ours") == {("task-manager-tasks-1", "api"): (1796106542.005, 1.5)}


def test_processors_of_a_part_are_those_of_all_its_pods_and_of_none_that_was_not_looked_at_anew() -> None:
    before = {
        ("task-manager-tasks-7d9f8b6c5d-abcde", "api"): (100.0, 5.0),
        ("task-manager-tasks-7d9f8b6c5d-fghij", "api"): (100.0, 1.0),
        ("task-manager-cache-0", "valkey"): (100.0, 2.0),
    }
    after = {
        ("task-manager-tasks-7d9f8b6c5d-abcde", "api"): (110.0, 10.0),
        ("task-manager-tasks-7d9f8b6c5d-fghij", "api"): (120.0, 5.0),
        ("task-manager-cache-0", "valkey"): (100.0, 2.0),
    }
    assert processor_time.processors(before, after) == {"tasks, api": pytest.approx(0.7)}
