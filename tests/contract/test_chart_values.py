"""What the chart takes, what it refuses, and in which words."""

from __future__ import annotations

import json
import subprocess
import tomllib
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from infra.components.workload.chart import CHART
from infra.names import RELEASE
from tests.contract.chart import ROOT, STACKS, RenderError, helm, render, values_of

SCHEMA: dict[str, Any] = json.loads((ROOT / CHART / "values.schema.json").read_text())


def refusal(values: dict[str, Any]) -> str:
    """Return what helm says about values that it refuses."""
    with pytest.raises(RenderError) as refused:
        render(values)
    return str(refused.value)


def objects_in(schema: dict[str, Any], path: str = "values") -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each part of a schema that lists its properties, with its path."""
    if "properties" in schema:
        yield path, schema
        for name, part in schema["properties"].items():
            yield from objects_in(part, f"{path}.{name}")
    for part in schema.get("anyOf", []):
        yield from objects_in(part, path)
    if "items" in schema:
        yield from objects_in(schema["items"], path)
    for name, part in schema.get("definitions", {}).items():
        yield from objects_in(part, name)


def test_the_defaults_render() -> None:
    assert "kind: Deployment" in render({})


@pytest.mark.parametrize("stack", STACKS)
def test_the_program_sets_only_what_the_chart_knows(stack: str) -> None:
    assert "kind: Deployment" in render(values_of(stack))


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"replicas": 3}, "replicas"),
        ({"image": {"tga": "1.0"}}, "tga"),
        ({"drain": {"sleep": 1}}, "sleep"),
        ({"route": {"gateway": {"nam": "edge"}}}, "nam"),
        ({"envFromSecrets": [{"name": "A", "secret": "b", "key": "c", "value": "d"}]}, "value"),
    ],
)
def test_an_unknown_value_is_refused_by_name(values: dict[str, Any], named: str) -> None:
    assert f"additional properties '{named}' not allowed" in refusal(values)


@pytest.mark.parametrize(
    ("values", "path"),
    [
        ({"autoscaling": {"minReplicas": 0}}, "/autoscaling/minReplicas"),
        ({"autoscaling": {"maxReplicas": "three"}}, "/autoscaling/maxReplicas"),
        ({"service": {"type": "ExternalName"}}, "/service/type"),
        ({"image": {"digest": "sha256:short"}}, "/image/digest"),
        ({"env": {"APP_LOG_LEVEL": 1}}, "/env/APP_LOG_LEVEL"),
        ({"resources": {"limits": {"memory": "lots"}}}, "/resources/limits/memory"),
        ({"podDisruptionBudget": {"maxUnavailable": 0}}, "/podDisruptionBudget/maxUnavailable"),
        ({"drain": {"sleepSeconds": 0}}, "/drain/sleepSeconds"),
        ({"route": {"edge": {"paths": [{"type": "Regex", "value": "/"}]}}}, "/route/edge/paths/0/type"),
        ({"route": {"edge": {"paths": [{"type": "Exact", "value": "x"}]}}}, "/route/edge/paths/0/value"),
    ],
)
def test_a_wrong_value_is_refused_at_its_place(values: dict[str, Any], path: str) -> None:
    assert path in refusal(values)


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        (
            {"drain": {"gracefulTimeoutSeconds": 25}},
            (
                "drain: sleepSeconds 10 + gracefulTimeoutSeconds 25 = 35 must be less than"
                " terminationGracePeriodSeconds 35"
            ),
        ),
        (
            {"rollout": {"startupSeconds": 300}},
            "rollout: startupSeconds 300 must be less than progressDeadlineSeconds 240",
        ),
        ({"autoscaling": {"minReplicas": 3}}, "autoscaling: minReplicas 3 is more than maxReplicas 1"),
        ({"persistence": {"enabled": True}}, "persistence: enabled without a claim"),
        (
            {"persistence": {"enabled": True, "claimName": "data"}, "autoscaling": {"maxReplicas": 2}},
            "persistence: one volume cannot serve maxReplicas 2",
        ),
        ({"route": {"enabled": True}}, "route: enabled without a gateway"),
        ({"service": {"nodePort": 30080}}, "service: nodePort 30080 has no effect with type ClusterIP"),
        ({"route": {"edge": {"name": "edge"}}}, "route.edge: a cache without paths gets no request"),
        ({"env": {"APP_PORT": "80"}}, "env: the chart computes APP_PORT"),
        ({"env": {"APP_GRACEFUL_TIMEOUT": "99"}}, "env: the chart computes APP_GRACEFUL_TIMEOUT"),
        ({"env": {"APP_SENTRY_DSN": "https://key@host/1"}}, "env: APP_SENTRY_DSN holds a secret"),
        ({"env": {"APP_TRACES_HEADERS": "api-key=1"}}, "env: APP_TRACES_HEADERS holds a secret"),
        ({"env": {"APP_SECRET_KEY": "x" * 40}}, "env: APP_SECRET_KEY holds a secret"),
        ({"env": {"APP_SECRET_KEYS_ACCEPTED": "x" * 40}}, "env: APP_SECRET_KEYS_ACCEPTED holds a secret"),
        ({"env": {"APP_DATABASE_PASSWORD": "x"}}, "env: APP_DATABASE_PASSWORD holds a secret"),
        ({"env": {"APP_DATABASE_URL": "postgresql://ada:pw@db/tasks"}}, "env: APP_DATABASE_URL holds a secret"),
    ],
)
def test_values_that_do_not_fit_together_are_refused_in_one_sentence(values: dict[str, Any], sentence: str) -> None:
    assert sentence in refusal(values)


@pytest.mark.parametrize("secret", ["postgresql://ada:pw@db/tasks", "hunter2"])
def test_a_refusal_does_not_repeat_the_secret(secret: str) -> None:
    assert secret not in refusal({"env": {"APP_DATABASE_PASSWORD": secret}})


def test_the_shortest_grace_period_that_fits_is_taken() -> None:
    render({"drain": {"sleepSeconds": 5, "gracefulTimeoutSeconds": 24, "terminationGracePeriodSeconds": 30}})


def test_the_schema_is_closed_and_describes_every_value() -> None:
    found = dict(objects_in(SCHEMA))
    assert len(found) > 15
    assert [path for path, part in found.items() if part.get("additionalProperties") is not False] == []
    items = {"podSelector", "namespaceSelector", "ipBlock"}  # parts of the Kubernetes API, described there
    undescribed = [
        f"{path}.{name}"
        for path, part in found.items()
        for name, value in part["properties"].items()
        if not value.get("description") and name not in items
    ]
    assert undescribed == []


def test_the_defaults_list_every_value_that_the_schema_knows() -> None:
    defaults = yaml.safe_load((ROOT / CHART / "values.yaml").read_text())
    assert defaults.keys() == SCHEMA["properties"].keys() - {"global"}


def test_the_chart_carries_the_version_of_the_project() -> None:
    chart = yaml.safe_load((ROOT / CHART / "Chart.yaml").read_text())
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert (chart["version"], chart["appVersion"]) == (version, version)


@pytest.mark.parametrize(
    ("stack", "hint"),
    [
        ("phase1", "on port 30080 of every node"),
        ("phase2", "through gateway task-manager"),
        (None, "kubectl -n tasks port-forward service/task-manager 8000:80"),
    ],
)
def test_the_notes_say_how_to_reach_it(stack: str | None, hint: str) -> None:
    command = [helm(), "install", RELEASE, CHART, "--namespace", "tasks", "--dry-run=client", "--values", "-"]
    values = json.dumps(values_of(stack) if stack else {})
    notes = subprocess.run(command, cwd=ROOT, input=values, capture_output=True, text=True, check=True).stdout
    assert f"Reach it:   {hint}\n" in notes.partition("NOTES:")[2]
