"""Faults for a running stack, and waiting until every pod is ready again."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from time import time

from tests.e2e.system import System, in_shell, is_ready, items, kubectl, wait_for

COMPONENT = "app.kubernetes.io/component"
ROLE = "cnpg.io/instanceRole"


def names(system: System, selector: str) -> list[str]:
    """Return the names of the pods that a selector finds."""
    return [pod["metadata"]["name"] for pod in system.get("pods", "--selector", selector)]


def kill(system: System, *pods: str) -> None:
    """End every process of some pods at once, and the pods themselves: nothing is drained, nothing written back."""
    for pod in pods:
        # The first process of a container hears of no signal from inside; its children do.
        system.kubectl("exec", pod, "--", "sh", "-c", "kill -KILL -1")
    system.kubectl("delete", "pod", *pods, "--grace-period=0", "--force", "--wait=false").ok()


def all_ready(system: System) -> bool:
    """Tell whether every pod of the stack is ready."""
    sets = [item for kind in ("deployments", "statefulsets") for item in system.get(kind)]
    [database] = system.get("clusters.postgresql.cnpg.io")
    return database["status"].get("readyInstances") == database["spec"]["instances"] and all(
        item["status"].get("readyReplicas", 0) == item["spec"]["replicas"] == item["status"].get("replicas", 0)
        for item in sets
    )


def wait_until_ready(system: System, seconds: float = 300) -> None:
    wait_for("every pod of the stack is ready", lambda: all_ready(system), seconds=seconds, every=2)


def primary(system: System) -> str:
    """Return the name of the database's primary that answers, once there is one and no more."""

    def one() -> str:
        found = [pod for pod in system.get("pods", "--selector", f"{ROLE}=primary") if is_ready(pod)]
        return str(found[0]["metadata"]["name"]) if len(found) == 1 else ""

    return wait_for("the database has a primary", one, seconds=120, every=2)


def wait_for_another_primary(system: System, than: str) -> None:
    """Wait until another instance is primary."""
    wait_for("another instance is primary", lambda: primary(system) != than, seconds=120, every=2)


def change_primary(system: System) -> float:
    """Kill the primary, wait for another one, and return when it was killed, in seconds since the epoch."""
    before = primary(system)
    killed = time()
    kill(system, before)
    wait_for_another_primary(system, before)
    return killed


@contextmanager
def task_creation_denied(system: System) -> Iterator[None]:
    """Revoke INSERT on tasks from the API's role, so that the API answers 500."""
    system.sql("revoke insert on tasks from tasks")
    try:
        yield
    finally:
        system.sql("grant insert on tasks to tasks")


def _kill_an_instance(system: System) -> None:
    kill(system, system.api_pods()[0]["metadata"]["name"])


def _kill_the_primary(system: System) -> None:
    kill(system, primary(system))


def _kill_two_replicas(system: System) -> None:
    kill(system, *names(system, f"{ROLE}=replica")[:2])


def _each_cache(system: System, command: str) -> dict[str, str]:
    """Return what each of the cache's servers answers to a command, by the name of its pod."""
    reach: dict[str, str] = json.loads(system.pulumi("stack", "output", "reach", "--json").ok())
    asked = reach["cache"].replace(" info'", f" {command}'")
    pods = names(system, f"{COMPONENT}=cache")
    return {pod: in_shell("bash", "-c", asked.replace(f"{pods[0].rpartition('-')[0]}-0", pod)).text for pod in pods}


def masters(system: System) -> list[str]:
    """Return the names of the cache's servers that have slots."""
    return [pod for pod, role in _each_cache(system, "role").items() if role.startswith("master")]


def cache_is_connected(system: System) -> bool:
    """Tell whether each of the cache's servers sees all of them.

    For some seconds after its start a server takes the others to be where they were: it says so then without having
    heard of any.
    """
    told = _each_cache(system, "cluster info").values()
    wanted = {"cluster_state:ok", "cluster_nodes_pfail:0", "cluster_nodes_fail:0", f"cluster_known_nodes:{len(told)}"}
    return all(wanted <= set(info.split()) for info in told)


def _kill_a_master(system: System) -> None:
    kill(system, masters(system)[0])


def _restart_the_cache(system: System) -> None:
    system.kubectl("delete", "pod", "--selector", f"{COMPONENT}=cache", "--wait=false").ok()


def _kill_prometheus(system: System) -> None:
    kill(system, *names(system, f"{COMPONENT}=prometheus"))


def _kill_the_gateway(_: System) -> None:
    gateway = ("--namespace", "traefik", "--selector", "app.kubernetes.io/name=traefik")
    kubectl("delete", "pod", *gateway, "--grace-period=0", "--force", "--wait=false").ok()


def _kill_the_primary_without_the_bucket(system: System) -> None:
    """PostgreSQL asks the archive for its log whenever it changes its timeline, and gets no answer."""
    bucket = ("--namespace", "object-store")
    kubectl(*bucket, "scale", "deployment/s3", "--replicas=0").ok()
    try:
        kubectl(*bucket, "wait", "--for=delete", "pod", "--all", "--timeout=60s").ok()
        change_primary(system)
        wait_until_ready(system)
    finally:
        kubectl(*bucket, "scale", "deployment/s3", "--replicas=1").ok()
        kubectl(*bucket, "rollout", "status", "deployment/s3", "--timeout=60s").ok()


def _drain_a_node(system: System) -> None:
    """Drain a node without the gateway and the bucket: one pod each, the local cluster's, and no part of the stack.

    The local cluster's volumes do not leave their node. So the cache stays: its first server would wait for the node to
    come back, and the budget would rightly refuse the second one meanwhile. For the same reason the second one of two
    of the database's instances stays; the primary is not that one.
    """
    pods = [pod for namespace in ("traefik", "object-store") for pod in items("pods", "--namespace", namespace)]
    taken = {pod["spec"]["nodeName"] for pod in pods}
    victim = next(node for node in (node["metadata"]["name"] for node in items("nodes")) if node not in taken)
    there = [pod for pod in system.get("pods", "--selector", ROLE) if pod["spec"]["nodeName"] == victim]
    primary_first = sorted(there, key=lambda pod: str(pod["metadata"]["labels"][ROLE]))
    stay = [f"cnpg.io/instanceName!={pod['metadata']['name']}" for pod in primary_first[1:]]
    selector = ",".join([f"{COMPONENT}!=cache", *stay])
    drain = ("drain", victim, "--ignore-daemonsets", "--delete-emptydir-data", "--timeout=240s")
    try:
        kubectl(*drain, f"--pod-selector={selector}").ok()
    finally:
        kubectl("uncordon", victim).ok()


@dataclass(frozen=True)
class Fault:
    """A way to break the stack.

    Args:
        name: as it stands in the table.
        inject: breaks it.
        may_fail: whether requests may fail while it lasts.
    """

    name: str
    inject: Callable[[System], None]
    may_fail: bool = False


FAULTS = (
    Fault("API pod killed", _kill_an_instance, may_fail=True),
    Fault("primary killed", _kill_the_primary, may_fail=True),
    Fault("primary killed while the bucket is away", _kill_the_primary_without_the_bucket, may_fail=True),
    Fault("two replicas lost", _kill_two_replicas),
    Fault("Redis master killed", _kill_a_master),
    Fault("all Redis pods restarted", _restart_the_cache),
    Fault("Prometheus killed", _kill_prometheus),
    Fault("gateway pod killed", _kill_the_gateway, may_fail=True),
    Fault("node drained", _drain_a_node),
)
