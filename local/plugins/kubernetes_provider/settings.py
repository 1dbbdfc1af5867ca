"""The provider's own configuration: `kubernetes.Provider(...)` or `pulumi config set kubernetes:...`."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from local.plugins.kubernetes_provider.errors import ProviderError
from local.plugins.kubernetes_provider.kubeconfig import Connection, active_cluster, load
from local.plugins.kubernetes_provider.values import Tree, Unknown, plain


@dataclass(frozen=True)
class Settings:
    """Provider inputs that this stand-in honours, by the official provider's names."""

    kubeconfig: str | None = field(default=None, repr=False)
    context: str | None = None
    cluster: str | None = None
    namespace: str | None = None
    cluster_identifier: str | None = None
    enable_patch_force: bool = False
    enable_config_map_mutable: bool = False
    enable_secret_mutable: bool = False
    upsert_existing_objects: bool = False
    delete_unreachable: bool = False
    skip_update_unreachable: bool = False
    helm: Mapping[str, Any] = field(default_factory=dict)

    def connection(self) -> Connection:
        """Read the kubeconfig that these settings name."""
        return load(self.kubeconfig, self.context, self.cluster)

    def active_cluster(self) -> dict[str, Any] | None:
        """Give the entry of the cluster that these settings name themselves, the environment left aside."""
        return active_cluster(self.kubeconfig, self.context, self.cluster)


def parse(inputs: Tree) -> Settings:
    """Read provider inputs.

    Raises:
        ProviderError: a setting that only the official provider has, or one that is no boolean.
    """
    values = plain(inputs)
    if values.get("renderYamlToDirectory"):
        raise ProviderError("renderYamlToDirectory needs the official Kubernetes provider")
    if not _boolean(values, "enableServerSideApply", default=True):
        raise ProviderError(
            "enableServerSideApply: false needs the official Kubernetes provider; this one always applies on the server"
        )
    return Settings(
        kubeconfig=_text(values, "kubeconfig"),
        context=_text(values, "context"),
        cluster=_text(values, "cluster"),
        namespace=_text(values, "namespace"),
        cluster_identifier=_text(values, "clusterIdentifier"),
        enable_patch_force=_boolean(values, "enablePatchForce", "PULUMI_K8S_ENABLE_PATCH_FORCE"),
        enable_config_map_mutable=_boolean(values, "enableConfigMapMutable", "PULUMI_K8S_ENABLE_CONFIGMAP_MUTABLE"),
        enable_secret_mutable=_boolean(values, "enableSecretMutable", "PULUMI_K8S_ENABLE_SECRET_MUTABLE"),
        upsert_existing_objects=_boolean(values, "upsertExistingObjects", "PULUMI_K8S_UPSERT_EXISTING_OBJECTS"),
        delete_unreachable=_boolean(values, "deleteUnreachable", "PULUMI_K8S_DELETE_UNREACHABLE"),
        skip_update_unreachable=_boolean(values, "skipUpdateUnreachable", "PULUMI_K8S_SKIP_UPDATE_UNREACHABLE"),
        helm=_object(values, "helmReleaseSettings"),
    )


def _text(values: Tree, key: str) -> str | None:
    value = values.get(key)
    return None if value is None or isinstance(value, Unknown) or value == "" else str(value)


def _boolean(values: Tree, key: str, variable: str | None = None, *, default: bool = False) -> bool:
    value = values.get(key)
    if value is None and variable:
        value = os.environ.get(variable)
    if value is None or value == "" or isinstance(value, Unknown):
        return default
    # Configuration reaches a provider as JSON texts: true is "true".
    match str(value).lower():
        case "true" | "1":
            return True
        case "false" | "0":
            return False
    raise ProviderError(f"provider setting {key} is {value!r}: it takes true or false")


def _object(values: Tree, key: str) -> Mapping[str, Any]:
    value = values.get(key)
    if isinstance(value, str) and value:
        value = json.loads(value)
    return value if isinstance(value, dict) else {}
