"""The local cluster brings the add-ons of infra/platform at the same versions."""

from __future__ import annotations

import re

import pytest

from infra.platform.addons.versions import CHARTS
from local import paths
from local.cluster import addons
from local.images import catalogue
from local.images.catalogue import Image
from local.tools import go_tools

# Image, and the Go tool and module that it is built from.
BUILT = {
    "cert_manager": (catalogue.CERT_MANAGER, "cert-manager", "github.com/cert-manager/cert-manager"),
    "cloudnative_pg": (catalogue.OPERATOR, "cloudnative-pg", "github.com/cloudnative-pg/cloudnative-pg"),
    "barman_cloud": (
        catalogue.BACKUP_PLUGIN,
        "plugin-barman-cloud",
        "github.com/cloudnative-pg/plugin-barman-cloud",
    ),
    # On a cluster that is not bare prometheus-adapter serves metrics.k8s.io too, as a process of the machine.
    "metrics_server": (catalogue.METRICS_SERVER, "metrics-server", "sigs.k8s.io/metrics-server"),
    "prometheus_adapter": (catalogue.ADAPTER, "prometheus-adapter", "sigs.k8s.io/prometheus-adapter"),
}
OTHERWISE = {"gateway_api", "traefik", "istio_base", "istiod"}
NOT_LOCAL = {
    "prometheus_operator": "each environment has a Prometheus of its own; the operator's images are not to be had",
    "external_secrets": "0.16.2 is the newest whose module is whole; it serves the same version of the API",
    "aws_load_balancer": "for AWS alone",
    "istio_cni": "the cluster chains Istio's CNI plugin itself",
}


def tag(image: Image) -> str:
    """Return the tag of an image, without its v."""
    return image.reference.rpartition(":")[2].removeprefix("v")


def pinned(key: str) -> str:
    """Return the version of the platform's table, without its v."""
    return CHARTS[key].app_version.removeprefix("v")


def test_each_add_on_of_the_platform_is_local_or_has_a_reason_not_to_be() -> None:
    assert {*BUILT, *OTHERWISE, *NOT_LOCAL} == set(CHARTS)


@pytest.mark.parametrize("key", BUILT)
def test_an_add_on_is_built_from_the_module_of_its_version(key: str) -> None:
    image, tool, module = BUILT[key]
    assert tag(image) == pinned(key)
    required = re.search(rf"{re.escape(module)} v(\S+)", (paths.TOOLS / tool / "go.mod").read_text())
    assert required
    assert required[1] == pinned(key)


def test_the_gateway_has_the_same_version() -> None:
    assert tag(catalogue.TRAEFIK) == pinned("traefik")
    assert addons.GATEWAY_API[1] == CHARTS["gateway_api"].app_version
    # Definitions are the same within a minor version; the module proxy has not every patch.
    assert addons.TRAEFIK_DEFINITIONS[1].split(".")[:2] == CHARTS["traefik"].app_version.split(".")[:2]


def test_the_operator_is_installed_by_the_manifest_of_its_version() -> None:
    assert pinned("cloudnative_pg") == addons.OPERATOR_VERSION
    assert tag(catalogue.BACKUP_SIDECAR) == pinned("barman_cloud")


def test_istio_is_built_from_the_commit_whose_charts_install_it_at_the_version_of_the_table() -> None:
    module, commit = catalogue.ISTIO_MODULE
    assert f"{module} {commit}" in (paths.TOOLS / "istio" / "go.mod").read_text()
    assert {pinned(key) for key in ("istio_base", "istiod", "istio_cni")} == {go_tools.ISTIO_VERSION}
    assert tag(catalogue.ISTIOD) == tag(catalogue.ISTIO_PROXY) == go_tools.ISTIO_VERSION
