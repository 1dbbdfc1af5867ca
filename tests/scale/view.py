"""Queries of the simulated cluster: pods by part, their placement, and their readiness over time."""

from __future__ import annotations

import json
import threading
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field

from local.cluster import control_plane
from local.cluster.control_plane import ControlPlane
from tests.scale.machines import HOST, Object
from tests.scale.simulation import NAMESPACE

_OF_STACK = f"namespaces/{NAMESPACE}"
_PODS = f"{_OF_STACK}/pods"
_SELECTORS = ("cnpg.io/poolerName", "cnpg.io/cluster", "app.kubernetes.io/component")


def part(pod: Object) -> str:
    """The part that a pod belongs to: api, worker, cache, edge, a pooler, the database and so on."""
    labels = pod["metadata"]["labels"]
    return next((labels[key] for key in _SELECTORS if key in labels), "")


def is_ready(pod: Object) -> bool:
    """Whether a pod is ready and not being deleted."""
    conditions = pod["status"].get("conditions", [])
    ready = any(condition["type"] == "Ready" and condition["status"] == "True" for condition in conditions)
    return ready and "deletionTimestamp" not in pod["metadata"]


def is_of_job(pod: Object) -> bool:
    return any(owner["kind"] == "Job" for owner in pod["metadata"].get("ownerReferences", []))


@dataclass
class ReadyPods:
    """The minimum and maximum of ready pods of each part.

    Attributes:
        without: nodes whose pods do not count, since nothing runs there whatever is said of it.
    """

    without: set[str]
    ready: dict[str, int] = field(default_factory=dict)
    most: dict[str, int] = field(default_factory=dict)

    def see(self, pods: dict[str, Object]) -> None:
        standing = (pod for pod in pods.values() if pod["spec"].get("nodeName") not in self.without)
        now = Counter(part(pod) for pod in standing if is_ready(pod))
        for name in {*now, *self.ready}:
            self.ready[name] = min(self.ready.get(name, now[name]), now[name])
            self.most[name] = max(self.most.get(name, 0), now[name])


class Cluster:
    """A client of the API server, with the Eviction API."""

    def __init__(self, plane: ControlPlane) -> None:
        self._plane = plane
        self._session = control_plane.session()

    def _url(self, path: str, group: str = "api/v1") -> str:
        return f"{self._plane.url}/{group}/{path}"

    def _items(self, path: str, group: str = "api/v1") -> list[Object]:
        answer = self._session.get(self._url(path, group), timeout=30)
        answer.raise_for_status()
        found: list[Object] = answer.json()["items"]
        return found

    def pods(self, *parts: str) -> list[Object]:
        """The pods that serve, of these parts or of all: those of Jobs and those on their way out left aside."""
        found = self._items(_PODS)
        return [
            pod
            for pod in found
            if not is_of_job(pod) and "deletionTimestamp" not in pod["metadata"] and (not parts or part(pod) in parts)
        ]

    def by_part(self) -> dict[str, list[Object]]:
        grouped = defaultdict(list)
        for pod in self.pods():
            grouped[part(pod)].append(pod)
        return grouped

    def nodes(self) -> dict[str, dict[str, str]]:
        """The labels of each node that pods may go to."""
        return {
            node["metadata"]["name"]: node["metadata"]["labels"]
            for node in self._items("nodes")
            if not node["spec"].get("unschedulable")
        }

    def budgets(self) -> dict[str, Object]:
        """The disruption budgets, by the part that each is about."""
        found, pods = self._items(f"{_OF_STACK}/poddisruptionbudgets", "apis/policy/v1"), self.pods()
        return {_part_of(budget, pods): budget for budget in found}

    def autoscaler(self) -> Object:
        """That of the API."""
        found: Object = self._session.get(self._autoscaler(), timeout=30).json()
        return found

    def _autoscaler(self) -> str:
        return self._url(f"{_OF_STACK}/horizontalpodautoscalers/task-manager", "apis/autoscaling/v2")

    def scale_down_by(self, behaviour: Object) -> None:
        """Change how the API's autoscaler takes pods away, or change it back."""
        self._patch(self._autoscaler(), {"spec": {"behavior": {"scaleDown": behaviour}}})

    def cordon(self, node: str) -> None:
        self._patch(self._url(f"nodes/{node}"), {"spec": {"unschedulable": True}})

    def _patch(self, url: str, change: Object) -> None:
        kind = {"Content-Type": "application/merge-patch+json"}
        self._session.patch(url, json.dumps(change), headers=kind, timeout=30).raise_for_status()

    def delete_node(self, name: str) -> None:
        self._session.delete(self._url(f"nodes/{name}"), timeout=30).raise_for_status()

    def served(self, service: str) -> int:
        """How many pods the endpoints of a Service lead to."""
        query = f"endpointslices?labelSelector=kubernetes.io/service-name={service}"
        slices = self._items(f"{_OF_STACK}/{query}", "apis/discovery.k8s.io/v1")
        return sum(endpoint["conditions"]["ready"] for entry in slices for endpoint in entry["endpoints"] or [])

    def evict(self, pods: list[Object]) -> list[int]:
        """Ask for all these evictions at once; return the statuses: 201 granted, 429 refused for now, 404 gone."""

        def one(pod: Object) -> int:
            name = pod["metadata"]["name"]
            wanted = {
                "apiVersion": "policy/v1",
                "kind": "Eviction",
                "metadata": {"name": name, "namespace": NAMESPACE},
                # Of the pod that was meant and of no other that has come under its name, as a StatefulSet's do.
                "deleteOptions": {"preconditions": {"uid": pod["metadata"]["uid"]}},
            }
            url = self._url(f"{_PODS}/{name}/eviction")
            with control_plane.session() as session:
                return session.post(url, json=wanted, timeout=30).status_code

        with ThreadPoolExecutor(8) as pool:
            return list(pool.map(one, pods))

    @contextmanager
    def watched(self, without: Iterable[str] = ()) -> Iterator[ReadyPods]:
        """Follow the pods while the block runs, event by event, so that no moment is missed.

        Args:
            without: nodes that are lost.
        """
        seen, ended = ReadyPods(set(without)), threading.Event()
        listed = self._session.get(self._url(_PODS), timeout=30).json()
        pods = {pod["metadata"]["name"]: pod for pod in listed["items"]}
        seen.see(pods)
        with ThreadPoolExecutor(1) as pool:
            following = pool.submit(self._follow, listed["metadata"]["resourceVersion"], pods, seen, ended)
            try:
                yield seen
            finally:
                ended.set()
        following.result()

    def _follow(self, version: str, pods: dict[str, Object], seen: ReadyPods, ended: threading.Event) -> None:
        """Ask for a second's events at a time, each time from the last one on, so that it ends when it is told to."""
        with control_plane.session() as session:
            while not ended.is_set():
                query = {"watch": "1", "resourceVersion": version, "timeoutSeconds": "1", "allowWatchBookmarks": "1"}
                with session.get(self._url(_PODS), params=query, stream=True, timeout=30) as stream:
                    stream.raise_for_status()
                    for event in map(json.loads, stream.iter_lines()):
                        assert event["type"] != "ERROR", event
                        metadata = event["object"]["metadata"]
                        version = metadata["resourceVersion"]
                        if event["type"] == "DELETED":
                            pods.pop(metadata["name"], None)
                        elif event["type"] != "BOOKMARK":
                            pods[metadata["name"]] = event["object"]
                        seen.see(pods)


def _part_of(budget: Object, pods: list[Object]) -> str:
    chosen = budget["spec"]["selector"]["matchLabels"].items()
    [found] = {part(pod) for pod in pods if chosen <= pod["metadata"]["labels"].items()}
    return found


def skew(constraint: Object, pods: list[Object], nodes: dict[str, dict[str, str]]) -> int:
    """By how much the fullest domain exceeds the emptiest one.

    Args:
        constraint: a `topologySpreadConstraint`.
        pods: those that it counts.
        nodes: the labels of each node that pods may go to.
    """
    key = constraint["topologyKey"]
    counted = Counter({labels[key]: 0 for labels in nodes.values()})
    counted.update(domain(pod, key, nodes) for pod in pods)
    return max(counted.values()) - min(counted.values())


def domain(pod: Object, key: str, nodes: dict[str, dict[str, str]]) -> str:
    """The node or the zone that a pod stands in."""
    return pod["spec"]["nodeName"] if key == HOST else nodes[pod["spec"]["nodeName"]][key]
