"""Pulumi's type tokens, and what they say about the kind."""

from local.plugins.kubernetes_provider.errors import ProviderError

RELEASE = "kubernetes:helm.sh/v3:Release"
PROVIDER = "pulumi:providers:kubernetes"


def kind_of(token: str) -> tuple[str, str]:
    """Give apiVersion and kind of a type token such as `kubernetes:apps/v1:Deployment`.

    Raises:
        ProviderError: this stand-in does not make resources of the type.
    """
    parts = token.split(":")
    group_version, _, kind = (parts[1] if len(parts) == 3 else ""), None, parts[-1]
    group = group_version.split("/")[0]
    if len(parts) != 3 or not kind or group in ("yaml", "kustomize", "helm.sh"):
        raise ProviderError(
            f"{token} needs the official Kubernetes provider: "
            "this stand-in makes single objects and helm.sh/v3 releases"
        )
    if kind.endswith("Patch") and kind != "Patch":
        raise ProviderError(f"{token}: patch resources need the official Kubernetes provider")
    if kind.endswith("List") and group != "meta":
        raise ProviderError(f"{token}: a list cannot be created; use one resource for each of its items")
    return group_version.removeprefix("core/") if group == "core" else group_version, kind
