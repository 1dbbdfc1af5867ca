"""Volumes of a bill are those that the program registers."""

from typing import Any

import pytest

from infra.config.settings import load_settings
from infra.cost.volumes import volumes
from tests.infra import engine
from tests.infra.engine import Stack
from tests.infra.snapshot import stack_name
from tests.infra.variants import VARIANTS
from tests.support.quantities import value_of


def registered(stack: Stack) -> float:
    """Return the GiB of all volumes that a stack asks for: claims, and those that operators claim."""
    total = 0.0
    for resource in stack.objects:
        spec = resource.inputs.get("spec", {})
        match resource.kind:
            case "PersistentVolumeClaim":
                total += claimed(spec)
            case "Cluster":
                sizes = [spec["storage"]["size"], spec.get("walStorage", {}).get("size", "0Gi")]
                total += spec["instances"] * float(sum(map(value_of, sizes)))
            case "Elasticsearch":
                total += sum(
                    nodes["count"] * claimed(claim["spec"])
                    for nodes in spec["nodeSets"]
                    for claim in nodes["volumeClaimTemplates"]
                )
    return total / 2**30


def claimed(spec: dict[str, Any]) -> float:
    return float(value_of(spec["resources"]["requests"]["storage"]))


CHOSEN = (
    *("phase1", "phase1-postgresql", "phase1-storage", "prod", "phase2-sizes", "phase3", "phase3-grafana"),
    *("phase3-sizes", "phase3-logs-operator", "phase3-monitoring-operator", "phase3-restored-twice"),
    *("phase3-restored-removed", "phase4", "phase4-standard", "phase4-one-service", "phase4-rabbitmq"),
    *("phase4-move", "phase4-retire-standard", "phase4-grown"),
)
"""Variants that differ in their volumes."""


@pytest.mark.parametrize("variant", CHOSEN)
def test_a_bill_has_all_volumes_that_the_program_registers(variant: str) -> None:
    config, deployed = VARIANTS[variant].config, VARIANTS[variant].deployed
    offered = engine.STACKS["organization/task-manager-platform/aws"]["environment"]
    settings = load_settings(
        {**engine.project_defaults(), **engine.as_engine(config)},
        platform_settings=lambda _: offered,
        recorded=deployed,
    )
    stack = engine.run(config, stack_name(variant), deployed=deployed)
    assert sum(each.total for each in volumes(settings)) == registered(stack)
