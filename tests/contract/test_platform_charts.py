"""Charts of ours that stand in for upstream ones: they take what infra/platform sets, and render."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from infra.platform.addons import AddonSettings
from infra.platform.addons.install import ADDONS
from infra.platform.clusters.base import ConnectedCluster
from local.tools import wheels
from tests.charts.package import BUILDERS, OURS
from tests.contract.chart_values import keys
from tests.local.cluster.test_addon_versions import NOT_LOCAL

# Values that the charts take as a whole.
FREE = {"resources", "annotations", "config", "spec", "topologySpreadConstraints", "custom"}
WRITTEN = [addon for addon in ADDONS if (OURS / addon.chart.name).is_dir()]
CLUSTER = ConnectedCluster(provider=None, kubeconfig=None, cloud="provided")  # type: ignore[arg-type]


def test_there_is_a_chart_for_every_add_on_that_a_bare_local_cluster_gets() -> None:
    assert set(BUILDERS) == {addon.key for addon in ADDONS if addon.setting != "istio"} - set(NOT_LOCAL)


@pytest.mark.parametrize("addon", WRITTEN, ids=lambda addon: addon.key)
def test_a_chart_of_ours_has_each_value_that_the_program_sets(addon: Any) -> None:
    chart = yaml.safe_load((OURS / addon.chart.name / "values.yaml").read_text())
    assert set(keys(addon.values(AddonSettings(), CLUSTER), FREE)) <= set(keys(chart, FREE))


@pytest.mark.parametrize("addon", WRITTEN, ids=lambda addon: addon.key)
def test_a_chart_of_ours_renders_with_the_values_of_the_program(addon: Any, tmp_path: Path) -> None:
    described = {"apiVersion": "v2", "name": addon.chart.name, "version": "1.0.0", "appVersion": "v1"}
    folder = tmp_path / addon.chart.name
    folder.mkdir()
    for entry in (OURS / addon.chart.name).iterdir():
        (folder / entry.name).symlink_to(entry)
    (folder / "Chart.yaml").write_text(yaml.safe_dump(described))
    rendered = subprocess.run(
        [wheels.helm(), "template", addon.chart.name, folder, "--namespace", addon.namespace, "--values", "-"],
        input=json.dumps(addon.values(AddonSettings(), CLUSTER)),
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    objects = [found for found in yaml.safe_load_all(rendered) if found]
    [deployment] = [found for found in objects if found["kind"] == "Deployment"]
    [container] = deployment["spec"]["template"]["spec"]["containers"]
    assert container["resources"]["limits"]["memory"]
