"""What the pods of a phase request, against the servers that the phase is for."""

from collections.abc import Iterator
from math import ceil
from typing import Any, Final

import pytest
import yaml

from infra import names, phases
from infra.config.sizes import SURGE
from infra.names import ALL
from infra.phases import PHASES
from infra.platform import sizes
from local.cluster import addons, preflight
from tests.infra import engine
from tests.infra.engine import Stack

CPU, MEMORY = "cpu", "memory"
Totals = dict[str, float]


def amount(quantity: str) -> float:
    """Millicores or MiB."""
    if quantity.endswith("Gi"):
        return float(quantity.removesuffix("Gi")) * 1024
    if quantity.endswith("Mi"):
        return float(quantity.removesuffix("Mi"))
    return float(quantity.removesuffix("m")) if quantity.endswith("m") else float(quantity) * 1000


def running(stack: Stack, replicas: str) -> Iterator[tuple[int, list[dict[str, Any]]]]:
    """Numbers of pods, in the middle of a rollout, with their containers.

    Args:
        replicas: `minReplicas` or `maxReplicas` of the chart's autoscalers.
    """
    for resource in stack.objects:
        spec = resource.inputs.get("spec", {})
        match resource.kind:
            case "StatefulSet" | "Deployment":
                yield spec["replicas"], spec["template"]["spec"]["containers"]
            case "DaemonSet":
                yield 1, spec["template"]["spec"]["containers"]
            case "Cluster":
                yield spec["instances"], [spec]
            case "Pooler":
                yield spec["instances"], spec["template"]["spec"]["containers"]
            case "ObjectStore":
                instances = sum(each.inputs["spec"]["instances"] for each in stack.objects if each.kind == "Cluster")
                yield instances, [spec["instanceSidecarConfiguration"]]
            case "ConfigMap" if resource.object_name == names.ISTIO_GATEWAY:
                merged = yaml.safe_load(resource.inputs["data"]["deployment"])["spec"]
                yield merged["replicas"], merged["template"]["spec"]["containers"]
            case "Release":
                yield from of_release(resource.inputs["values"], replicas)


def of_release(values: dict[str, Any], replicas: str) -> Iterator[tuple[int, list[dict[str, Any]]]]:
    """The same of a release of the chart. In a mesh each server has a sidecar, and no other pod."""
    api = values["autoscaling"][replicas]
    sidecars = [values["mesh"]] if values.get("mesh", {}).get("enabled") else []
    yield api + ceil(api * SURGE), [values, *sidecars]
    if values["jobs"]["enabled"]:
        workers = values["jobs"]["worker"]["autoscaling"][replicas]
        yield workers + ceil(workers * SURGE), [values["jobs"]["worker"]]
        yield 2, [values["jobs"]["beat"]]


def requested(stack: Stack, replicas: str = "minReplicas") -> Totals:
    return {
        resource: sum(
            pods * sum(amount(container["resources"]["requests"][resource]) for container in containers)
            for pods, containers in running(stack, replicas)
        )
        for resource in (CPU, MEMORY)
    }


@pytest.mark.parametrize("variant", ["phase1", "phase1-postgresql", "phase1-shipped"])
def test_phase_1_fits_a_server_of_one_processor_and_two_gibibytes(variants: dict[str, Stack], variant: str) -> None:
    """Beside k3s: its CoreDNS and metrics-server request 100m and 70 MiB each, and its server takes some 512 MiB."""
    total = requested(variants[variant])
    assert total[CPU] <= 1000 - 200
    assert total[MEMORY] <= 2048 - 140 - 512


def test_phase_2_fits_two_nodes_of_two_processors_and_four_gibibytes_of_three(phase2: Stack) -> None:
    """One node may be lost. A tenth of each is the system's; the cluster's add-ons take a few hundred millicores."""
    total = requested(phase2)
    assert total[CPU] <= 2 * 2000 * 0.9 - 500
    assert total[MEMORY] <= 2 * 4096 * 0.9 - 512


def test_phase_3_fits_two_nodes_of_four_processors_and_eight_gibibytes_of_three_until_load_comes() -> None:
    stack = engine.run({"task-manager:phase": "3", "task-manager:hostname": "tasks.example.com"})
    total = requested(stack)
    assert total[CPU] <= 2 * 4000 * 0.9 - 500
    assert total[MEMORY] <= 2 * 8192 * 0.9 - 512


NODE: Final = {"g-4vcpu-16gb": (4000, 16 * 1024), "m6i.large": (2000, 8 * 1024)}
"""Millicores and MiB of a node, as its provider gives them; a tenth of them is the system's."""


@pytest.mark.parametrize("replicas", ["minReplicas", "maxReplicas"])
@pytest.mark.parametrize("phase", [3, 4])
def test_a_phase_fits_the_nodes_of_a_provider_while_some_are_away(phase: int, replicas: str) -> None:
    """A node at DigitalOcean; at AWS a zone of the least nodes, and a node of the most."""
    config = {"phase": phase, "hostname": "tasks.example.com", "backups.bucket": "backups", "monitoring.grafana": True}
    total = requested(engine.run({f"task-manager:{key}": value for key, value in config.items()}), replicas)
    pool, eks = sizes.DIGITALOCEAN[phase].nodes, sizes.AWS[phase]
    assert pool
    least = replicas == "minReplicas"
    nodes = {
        pool.size: (pool.least if least else pool.most) - 1,
        eks.nodes.size: eks.nodes.least * (eks.zones - 1) if least else eks.nodes.most * eks.zones - 1,
    }
    for size, number in nodes.items():
        cpu, memory = NODE[size]
        assert total[CPU] <= number * cpu * 0.9 - 500, size
        assert total[MEMORY] <= number * memory * 0.9 - 512, size


def test_a_pod_requests_what_its_share_of_the_load_costs_beside_busy_neighbours() -> None:
    """140 requests a second and processor were measured there (infra/phases.py)."""
    api = PHASES[3].services[ALL].api
    assert api.requests_per_second
    assert api.compute.cpu_request >= 1000 * api.requests_per_second // 140 // 100 * 100


def test_the_autoscalers_share_of_the_processor_is_what_a_pod_requests() -> None:
    scaling = engine.run({"task-manager:phase": "3", "task-manager:hostname": "a.example"}).values["autoscaling"]
    assert scaling["targetCPUUtilizationPercentage"] == 100


@pytest.mark.parametrize("variant", ["phase1", "phase2", "phase3", "phase4", "phase4-istio"])
def test_an_example_stack_fits_the_local_clusters_nodes_of_two_processors(
    variants: dict[str, Stack], variant: str
) -> None:
    """Of phase 3's one may be drained. The add-ons' pods request 175m (local/cluster/manifests), Istio's 30m."""
    phase = int(variant[5])
    nodes = addons.min_nodes(phase) - (1 if phase == 3 else 0)
    assert requested(variants[variant])[CPU] <= nodes * 2000 - 175 - 30


@pytest.mark.parametrize("variant", ["phase1", "phase2", "phase3", "phase4", "phase4-istio"])
def test_the_largest_job_finds_room_beside_an_example_stack(variants: dict[str, Stack], variant: str) -> None:
    """Jobs of an update run while everything of the former one is there."""
    jobs = (each.inputs["spec"]["template"]["spec"] for each in variants[variant].objects if each.kind == "Job")
    largest = max(sum(amount(each["resources"]["requests"][CPU]) for each in spec["containers"]) for spec in jobs)
    nodes = addons.min_nodes(int(variant[5]))
    assert requested(variants[variant])[CPU] + largest <= nodes * 2000 - 175 - 30


@pytest.mark.parametrize("variant", ["phase1", "phase2", "phase3", "phase4-istio"])
def test_an_example_stack_fits_the_memory_that_the_local_cluster_asks_for(
    variants: dict[str, Stack], variant: str
) -> None:
    phase = int(variant[5])
    total = requested(variants[variant])[MEMORY] * 2**20
    assert total <= preflight.MEMORY_BYTES[phase] * addons.min_nodes(phase)


def test_sidecars_and_the_gateways_proxies_are_counted(phase4_istio: Stack) -> None:
    settings = {**engine.WITHOUT_MESH, "cdn.kind": "none"}  # which a mesh has none of either
    without = engine.run(engine.stack_file("phase4") | {f"task-manager:{key}": each for key, each in settings.items()})
    row = phases.SMALL[4]
    assert row.mesh
    servers = sum(ceil(service.api.min_replicas * (1 + SURGE)) for service in row.services.values())
    proxies = servers * row.mesh.sidecar.cpu_request + row.mesh.gateways * row.mesh.gateway.cpu_request
    assert requested(phase4_istio)[CPU] - requested(without)[CPU] == proxies
