"""Processor time of the containers of a namespace, as the kubelets see it."""

import subprocess
import time
from collections import defaultdict

from prometheus_client.parser import text_string_to_metric_families

from tests.support.pod_names import part_of

Usage = dict[tuple[str, str], tuple[float, float]]
"""By pod and container: seconds since the epoch, and the processor seconds that it had used until then."""


def usage(namespace: str) -> Usage:
    """Return what the kubelets have last seen of the containers of a namespace."""
    found: Usage = {}
    for node in _kubectl("get", "nodes", "--output", "name").split():
        path = f"/api/v1/nodes/{node.removeprefix('node/')}/proxy/metrics/resource"
        found |= read_usage(_kubectl("get", "--raw", path), namespace)
    return found


def read_usage(metrics: str, namespace: str) -> Usage:
    """Return what a kubelet's resource metrics say of the containers of a namespace."""
    return {
        (each.labels["pod"], each.labels["container"]): (float(each.timestamp or 0), each.value)
        for family in text_string_to_metric_families(metrics)
        if family.name == "container_cpu_usage_seconds"
        for each in family.samples
        if each.labels["namespace"] == namespace
    }


def _kubectl(*arguments: str) -> str:
    return subprocess.run(["kubectl", *arguments], check=True, capture_output=True, text=True).stdout


def processors(before: Usage, after: Usage) -> dict[str, float]:
    """Return how many processors each part used between two looks, by part and container."""
    used: dict[str, float] = defaultdict(float)
    for key, (end, seconds) in after.items():
        begin, former = before.get(key, (end, seconds))
        if end > begin:
            used[f"{part_of(key[0])}, {key[1]}"] += (seconds - former) / (end - begin)
    return used


def used_while(namespace: str, seconds: int) -> dict[str, float]:
    """Return how many processors each part uses in the next seconds, but for the first ten: kubelets look each ten."""
    time.sleep(10)
    before = usage(namespace)
    time.sleep(seconds - 10)
    return processors(before, usage(namespace))
