"""The Secret by which images are pulled reaches every pod, whoever makes it."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.infra import engine
from tests.infra.engine import Stack
from tests.infra.variants import CLOUDFLARE

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:pulumi_cloudflare")

EVERYTHING = {
    "phase1": {
        "database.kind": "postgresql",
        "logs.destination": "elasticsearch",
        "logs.endpoint": "https://a.example",
    },
    "phase2": {**CLOUDFLARE},
    "phase3": {"monitoring.grafana": "true", "logs.destination": "operator"},
    "phase4": {},
}
"""Settings with which each phase has all pods that it can have."""


def pod_specs(value: Any) -> Iterator[dict[str, Any]]:
    """Every pod's specification in an object, wherever it stands; a `Cluster` of CloudNativePG has one of its own."""
    if isinstance(value, dict):
        if "containers" in value or "imageName" in value:
            yield value
        for each in value.values():
            yield from pod_specs(each)
    elif isinstance(value, list):
        for each in value:
            yield from pod_specs(each)


def described(stack: Stack) -> list[tuple[str, dict[str, Any]]]:
    return [(each.name, spec) for each in stack.objects for spec in pod_specs(each.inputs)]


@pytest.fixture(scope="module")
def everything() -> dict[str, Stack]:
    return {
        phase: engine.run(
            {
                **engine.stack_file(phase),
                "task-manager:images.pull_secret": "registry",
                **{f"task-manager:{key}": value for key, value in settings.items()},
            },
            phase,
        )
        for phase, settings in EVERYTHING.items()
    }


@pytest.mark.parametrize("phase", EVERYTHING)
def test_every_pod_pulls_by_the_secret_that_the_stack_names(everything: dict[str, Stack], phase: str) -> None:
    found = described(everything[phase])
    assert found
    assert [name for name, spec in found if spec.get("imagePullSecrets") != [{"name": "registry"}]] == []
    for release in everything[phase].releases:
        assert release.inputs["values"]["image"]["pullSecrets"] == ["registry"], "the chart's own pods"


def test_no_variant_has_pods_that_these_stacks_have_not(
    everything: dict[str, Stack], variants: dict[str, Stack]
) -> None:
    looked_at = {name for stack in everything.values() for name, _ in described(stack)}
    assert {name for stack in variants.values() for name, _ in described(stack)} <= looked_at


def test_without_the_setting_no_pod_names_a_secret(stack: Stack) -> None:
    assert [name for name, spec in described(stack) if "imagePullSecrets" in spec] == []
    assert not any("pullSecrets" in release.inputs["values"]["image"] for release in stack.releases)
