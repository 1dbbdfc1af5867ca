"""Metrics of the simulated API pods, which serve none themselves.

Prometheus, prometheus-adapter and the rules between them are the real ones.
"""

from __future__ import annotations

import threading
import time

from tests.scale.simulation import NAMESPACE
from tests.scale.view import Cluster, is_ready, part

_CPU = 0.05
"""Cores of each pod: far from the autoscaler's target, so that requests decide."""


class Demand:
    """A request rate for the whole API, shared by its ready pods."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._lock = threading.Lock()
        self._looked = time.monotonic()
        self._answered: dict[str, float] = {}
        self._worked: dict[str, float] = {}
        self.requests = 0.0

    def metrics(self) -> str:
        """The metrics of all pods, in Prometheus's text format."""
        ready = [pod for pod in self._cluster.pods("api", "worker") if is_ready(pod)]
        with self._lock:
            now = time.monotonic()
            passed, self._looked = now - self._looked, now
            api = [pod["metadata"]["name"] for pod in ready if part(pod) == "api"]
            for name in api:
                self._answered[name] = self._answered.get(name, 0.0) + passed * self.requests / len(api)
            lines = [f"flask_http_request_total{{{_of(name)}}} {self._answered[name]}" for name in api]
            for pod in ready:
                name = pod["metadata"]["name"]
                self._worked[name] = self._worked.get(name, 0.0) + passed * _CPU
                labels = f'{_of(name)},container="{part(pod)}"'
                lines.append(f"container_cpu_usage_seconds_total{{{labels}}} {self._worked[name]}")
                lines.append(f"container_memory_working_set_bytes{{{labels}}} 1e8")
        lines.append(f'task_manager_jobs{{namespace="{NAMESPACE}",state="queued"}} 0')
        return "\n".join(lines) + "\n"


def _of(pod: str) -> str:
    return f'namespace="{NAMESPACE}",pod="{pod}"'
