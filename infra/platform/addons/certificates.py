"""Certificates: cert-manager, and the issuer of an ACME authority."""

from typing import Any, Final

from infra.platform.addons.definition import Addon, Values, crd, requests
from infra.platform.addons.settings import AddonSettings
from infra.platform.clusters.base import ConnectedCluster

NAMESPACE: Final = "cert-manager"
CLUSTER_ISSUER: Final = "letsencrypt"


def _cert_manager(_: AddonSettings, __: ConnectedCluster) -> Values:
    small = requests(10, 64, 256)
    return {
        "crds": {"enabled": True, "keep": True},
        "config": {
            "apiVersion": "controller.config.cert-manager.io/v1alpha1",
            "kind": "ControllerConfiguration",
            # Certificates for Gateways that ask by annotation, and challenges that are answered by HTTPRoutes.
            "enableGatewayAPI": True,
        },
        "global": {"leaderElection": {"namespace": NAMESPACE}},
        "resources": small,
        "webhook": {"resources": small},
        "cainjector": {"resources": requests(10, 128, 512)},
    }


def cluster_issuer(settings: AddonSettings) -> dict[str, Any]:
    """Return the specification of the ClusterIssuer.

    Challenges are answered at the Gateway that asks for the certificate: the solver names none.
    """
    return {
        "acme": {
            "email": settings.acme_email,
            "server": settings.acme_server,
            "privateKeySecretRef": {"name": f"{CLUSTER_ISSUER}-account"},
            "solvers": [{"http01": {"gatewayHTTPRoute": {"serviceType": "ClusterIP"}}}],
        }
    }


# After the Gateway API: its controller looks for those CRDs once, when it starts.
ADDONS: Final = (
    Addon("cert_manager", NAMESPACE, _cert_manager, crd("certificates.cert-manager.io"), after=("gateway_api",)),
)
