"""Secrets that are kept elsewhere: External Secrets Operator."""

from typing import Final

from infra.platform.addons.definition import Addon, Values, crd, requests
from infra.platform.addons.settings import AddonSettings
from infra.platform.clusters.base import ConnectedCluster

NAMESPACE: Final = "external-secrets"


def _external_secrets(_: AddonSettings, __: ConnectedCluster) -> Values:
    small = requests(10, 64, 256)
    return {
        "installCRDs": True,
        "crds": {"annotations": {"helm.sh/resource-policy": "keep"}},
        "resources": small,
        "webhook": {"resources": small},
        "certController": {"resources": small},
    }


ADDONS: Final = (Addon("external_secrets", NAMESPACE, _external_secrets, crd("externalsecrets.external-secrets.io")),)
