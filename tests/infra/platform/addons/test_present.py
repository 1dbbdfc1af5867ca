"""Recognition of add-ons that a cluster has already."""

from pathlib import Path
from typing import Any

import pytest

from infra.platform.addons import present
from infra.platform.addons.definition import Addon
from infra.platform.addons.install import ADDONS

[OPERATOR] = [addon for addon in ADDONS if addon.key == "cloudnative_pg"]
[METRICS] = [addon for addon in ADDONS if addon.key == "metrics_server"]


def cluster(**objects: dict[str, Any]) -> present.Reader:
    """Return a reader of a cluster that has these objects, by name."""
    return lambda wanted: objects.get(wanted.name)


def helm_object(release: str, namespace: str, **labels: str) -> dict[str, Any]:
    """Return an object of a Helm release."""
    annotations = {"meta.helm.sh/release-name": release, "meta.helm.sh/release-namespace": namespace}
    return {"metadata": {"annotations": annotations, "labels": labels}}


def test_an_empty_cluster_has_no_conflicts() -> None:
    assert present.conflicts(cluster(), ADDONS) == []


@pytest.mark.parametrize("addon", ADDONS, ids=lambda addon: addon.key)
def test_what_this_stack_has_installed_is_no_conflict(addon: Addon) -> None:
    found = helm_object(addon.chart.release_name, addon.namespace)
    assert present.conflicts(lambda _: found, [addon]) == []


@pytest.mark.parametrize(
    "found",
    [
        helm_object("cnpg", "cnpg-system"),
        helm_object("cloudnative-pg", "databases"),
        {"metadata": {"annotations": {"controller-gen.kubebuilder.io/version": "v0.20.0"}}},
        {"metadata": {}},
    ],
    ids=["another release", "another namespace", "by kubectl", "bare"],
)
def test_what_somebody_else_has_installed_is_a_conflict(found: dict[str, Any]) -> None:
    [line] = present.conflicts(cluster(**{"clusters.postgresql.cnpg.io": found}), [OPERATOR])
    assert line.startswith("addons.cloudnative_pg: the cluster has cloudnative-pg already (customresourcedefinitions")
    assert line.endswith("set addons.cloudnative_pg to provided, or remove it")


def test_the_line_has_both_versions() -> None:
    found = {"metadata": {"labels": {"app.kubernetes.io/version": "0.7.2"}}}
    [line] = present.conflicts(cluster(**{"v1beta1.metrics.k8s.io": found}), [METRICS])
    assert "0.7.2" in line
    assert f"{METRICS.chart.version} with {METRICS.chart.app_version}" in line


def test_an_add_on_of_several_charts_is_left_alone_by_its_one_setting() -> None:
    [line] = present.conflicts(
        cluster(**{"peerauthentications.security.istio.io": helm_object("istio", "mesh")}), ADDONS
    )
    assert line.startswith("addons.istio: the cluster has istio-base already")
    assert line.endswith("set addons.istio to provided, or remove it")


def test_without_a_kubeconfig_nothing_is_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kubernetes.config.kube_config.KUBE_CONFIG_DEFAULT_LOCATION", str(tmp_path / "there-is-none"))
    assert present.connect("") is None
