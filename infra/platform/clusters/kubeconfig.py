"""Kubeconfigs of clusters that the program makes."""

from typing import Any

import yaml


def kubeconfig(name: str, *, server: str, certificate: str, user: dict[str, Any]) -> str:
    """Write a kubeconfig with one context.

    Args:
        name: of context, cluster and user.
        server: URL of the API.
        certificate: of the cluster's authority, in base64.
        user: credentials, as a kubeconfig has them.
    """
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": name, "cluster": {"server": server, "certificate-authority-data": certificate}}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
        "current-context": name,
        "users": [{"name": name, "user": user}],
    }
    return str(yaml.safe_dump(content, sort_keys=False))


def k3s_kubeconfig(name: str, server: str, written: str) -> str:
    """Turn the kubeconfig that k3s wrote for its own machine into one for others."""
    content = yaml.safe_load(written)
    certificate = content["clusters"][0]["cluster"]["certificate-authority-data"]
    return kubeconfig(name, server=server, certificate=certificate, user=content["users"][0]["user"])
