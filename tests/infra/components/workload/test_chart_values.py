"""What the chart is given, against the chart."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from infra import names
from infra.components.workload import chart
from tests.infra import engine
from tests.infra.engine import Stack


def test_the_chart_knows_every_value_that_it_is_given(stack: Stack) -> None:
    known = yaml.safe_load((engine.ROOT / "helm/task-manager/values.yaml").read_text())
    free = ("env", "backend", "annotations")  # the chart takes any key there

    def unknown(given: dict[str, Any], known: dict[str, Any], path: str) -> list[str]:
        strange = []
        for key, value in given.items():
            if key not in known:
                strange.append(f"{path}{key}")
            elif isinstance(value, dict) and key not in free:
                strange += unknown(value, known[key], f"{path}{key}.")
        return strange

    for release in stack.releases:
        assert unknown(release.inputs["values"], known, "") == []


def test_a_changed_chart_file_changes_the_release(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / chart.CHART / "templates"
    folder.mkdir(parents=True)
    monkeypatch.setattr(chart, "ROOT", tmp_path)
    (folder / "a.yaml").write_text("a: 1")
    before = chart.digest()
    assert chart.digest() == before
    (folder / "a.yaml").write_text("a: 2")
    changed = chart.digest()
    (folder / "a.yaml").rename(folder / "b.yaml")
    assert len({before, changed, chart.digest()}) == 3


def test_the_release_carries_the_digest_of_the_charts_files(phase1: Stack) -> None:
    assert phase1.find("Release").inputs["description"] == f"chart {chart.digest()}"


def test_the_charts_migration_carries_the_labels_that_its_flow_is_allowed_to() -> None:
    template = (engine.ROOT / chart.CHART / "templates/migration.yaml").read_text()
    assert f'"component" "{names.ServiceNames().migration_labels["app.kubernetes.io/component"]}"' in template
