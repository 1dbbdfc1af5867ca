"""Processor time of the containers of a namespace, as the kubelets see it."""

import json
import subprocess
import time
from collections import defaultdict
from datetime import datetime

from tests.support.pod_names import part_of

Usage = dict[tuple[str, str], tuple[float, float]]
"""By pod and container: seconds since the epoch, and the processor seconds that it had used until then."""


def usage(namespace: str) -> Usage:
    """Return what the kubelets have last seen of the containers of a namespace."""
    nodes = _kubectl("get", "nodes", "--output", "name").split()
    found: Usage = {}
    for node in nodes:
        path = f"/api/v1/nodes/{node.removeprefix('node/')}/proxy/stats/summary"
        for pod in json.loads(_kubectl("get", "--raw", path))["pods"]:
            if pod["podRef"]["namespace"] != namespace:
                continue
            for container in pod["containers"]:
                seen = datetime.fromisoformat(container["cpu"]["time"]).timestamp()
                seconds = container["cpu"].get("usageCoreNanoSeconds", 0) / 1e9
                found[pod["podRef"]["name"], container["name"]] = (seen, seconds)
    return found


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
