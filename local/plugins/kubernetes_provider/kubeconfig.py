"""Kubeconfig: the API server and the credentials, read as kubectl reads them."""

import base64
import json
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from local.plugins.kubernetes_provider.errors import ProviderError

# A credential plugin may ask a cloud's API; kubectl itself waits without limit.
EXEC_TIMEOUT_SECONDS = 60


@dataclass(frozen=True)
class Connection:
    """One context of a kubeconfig, its files read. Certificates and keys are PEM."""

    server: str
    source: str
    context: str = ""
    namespace: str = "default"
    authority: bytes | None = None
    insecure: bool = False
    server_name: str | None = None
    certificate: bytes | None = None
    key: bytes | None = field(default=None, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    # The same as a file for tools that want one (helm); the text when the kubeconfig came as text.
    text: str | None = field(default=None, repr=False)
    paths: tuple[str, ...] = ()


def load(kubeconfig: str | None, context: str | None = None, cluster: str | None = None) -> Connection:
    """Read a kubeconfig.

    Args:
        kubeconfig: a path or the content itself, YAML or JSON; None for $KUBECONFIG, then ~/.kube/config.
        context: the context to use instead of the current one.
        cluster: the cluster to use instead of the context's.

    Raises:
        ProviderError: there is no kubeconfig, or it lacks what it should name.
    """
    text, paths = _locate(kubeconfig)
    config = _merge(
        [_parse(text, "the provider's kubeconfig")] if text is not None else [_read(path) for path in paths]
    )
    source = "the provider's kubeconfig" if text is not None else os.pathsep.join(paths)
    name = context or config.get("current-context") or ""
    if not name:
        raise ProviderError(f"{source} names no current context: set one (kubectl config use-context) or configure it")
    chosen = _named(config, "contexts", "context", name, source)
    server = _named(config, "clusters", "cluster", cluster or str(chosen.get("cluster", "")), source)
    user = _named(config, "users", "user", str(chosen["user"]), source) if chosen.get("user") else {}
    certificate, key, headers = _credentials(user, server)
    return Connection(
        server=str(server.get("server", "")).rstrip("/"),
        source=source,
        context=name,
        namespace=str(chosen.get("namespace") or "default"),
        authority=_blob(server, "certificate-authority"),
        insecure=bool(server.get("insecure-skip-tls-verify")),
        server_name=server.get("tls-server-name"),
        certificate=certificate,
        key=key,
        headers=headers,
        text=text,
        paths=paths,
    )


def active_cluster(kubeconfig: str | None, context: str | None, cluster: str | None) -> dict[str, Any] | None:
    """Give the cluster's entry of a provider's `kubeconfig`; None where that is not set, or names no such cluster.

    Raises:
        ProviderError: it is a path to nothing. The official provider takes it for the content then, and fails too.
    """
    if not kubeconfig:
        return None
    if is_lost(kubeconfig):
        raise ProviderError(f"failed to parse kubeconfig: there is none at {kubeconfig}")
    text = kubeconfig if _is_content(kubeconfig) else Path(kubeconfig).expanduser().read_text(encoding="utf-8")
    config = _parse(text, "the provider's kubeconfig")
    contexts = {entry.get("name"): entry.get("context") or {} for entry in config.get("contexts") or []}
    clusters = {entry.get("name"): entry.get("cluster") or {} for entry in config.get("clusters") or []}
    chosen = contexts.get(context or config.get("current-context"))
    return None if chosen is None else clusters.get(cluster or chosen.get("cluster"))


def is_lost(kubeconfig: str) -> bool:
    """Tell whether a provider's `kubeconfig` is a path, and no file is there."""
    return bool(kubeconfig) and not _is_content(kubeconfig) and not Path(kubeconfig).expanduser().is_file()


def _is_content(kubeconfig: str) -> bool:
    return "\n" in kubeconfig.strip() or kubeconfig.lstrip().startswith("{")


def _locate(kubeconfig: str | None) -> tuple[str | None, tuple[str, ...]]:
    if kubeconfig and _is_content(kubeconfig):
        return kubeconfig, ()
    named = kubeconfig or os.environ.get("KUBECONFIG")
    candidates = [str(Path(part).expanduser()) for part in (named or "~/.kube/config").split(os.pathsep) if part]
    present = tuple(path for path in candidates if Path(path).is_file())
    if not present:
        looked = f"there is no kubeconfig at {os.pathsep.join(candidates)}"
        raise ProviderError(f"{looked}: start a cluster, or set KUBECONFIG to the kubeconfig of one")
    return None, present


def _read(path: str) -> dict[str, Any]:
    config = _parse(Path(path).read_text(encoding="utf-8"), path)
    # File names in a kubeconfig are relative to it.
    base = Path(path).resolve().parent
    for entries, inner, keys in (
        ("clusters", "cluster", ("certificate-authority",)),
        ("users", "user", ("client-certificate", "client-key", "tokenFile")),
    ):
        for entry in config.get(entries) or []:
            for key in keys:
                if entry.get(inner, {}).get(key):
                    entry[inner][key] = str(base / entry[inner][key])
    return config


def _parse(text: str, source: str) -> dict[str, Any]:
    try:
        config = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ProviderError(f"{source} is not a kubeconfig: {' '.join(str(error).split())}") from error
    if not isinstance(config, dict):
        raise ProviderError(f"{source} is not a kubeconfig: expected clusters, contexts and users")
    return config


def _merge(configs: list[dict[str, Any]]) -> dict[str, Any]:
    """Merge several files: the first to name a thing wins, as kubectl has it."""
    merged: dict[str, Any] = {"clusters": [], "contexts": [], "users": [], "current-context": ""}
    for config in configs:
        merged["current-context"] = merged["current-context"] or config.get("current-context") or ""
        for entries in ("clusters", "contexts", "users"):
            merged[entries].extend(config.get(entries) or [])
    return merged


def _named(config: dict[str, Any], entries: str, inner: str, name: str, source: str) -> dict[str, Any]:
    for entry in config[entries]:
        if entry.get("name") == name:
            return dict(entry.get(inner) or {})
    there = ", ".join(sorted(str(entry.get("name")) for entry in config[entries])) or "none"
    raise ProviderError(f"{source} has no {inner} {name!r} (there: {there})")


def _blob(entry: dict[str, Any], key: str) -> bytes | None:
    if entry.get(f"{key}-data"):
        return base64.b64decode(entry[f"{key}-data"])
    if entry.get(key):
        try:
            return Path(entry[key]).read_bytes()
        except OSError as error:
            raise ProviderError(f"the kubeconfig names {entry[key]}, which cannot be read: {error.strerror}") from error
    return None


def _credentials(user: dict[str, Any], cluster: dict[str, Any]) -> tuple[bytes | None, bytes | None, dict[str, str]]:
    certificate, key = _blob(user, "client-certificate"), _blob(user, "client-key")
    token = user.get("token")
    if user.get("tokenFile"):
        token = Path(user["tokenFile"]).read_text(encoding="utf-8").strip()
    if user.get("exec"):
        status = _run_credential_plugin(user["exec"], cluster)
        token = status.get("token") or token
        if status.get("clientCertificateData"):
            certificate, key = status["clientCertificateData"].encode(), status["clientKeyData"].encode()
    headers = {}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    elif user.get("username"):
        pair = f"{user['username']}:{user.get('password', '')}".encode()
        headers["Authorization"] = f"Basic {base64.b64encode(pair).decode()}"
    return certificate, key, headers


def _run_credential_plugin(plugin: dict[str, Any], cluster: dict[str, Any]) -> dict[str, Any]:
    version = plugin.get("apiVersion", "client.authentication.k8s.io/v1")
    spec: dict[str, Any] = {"interactive": False}
    if plugin.get("provideClusterInfo"):
        spec["cluster"] = cluster
    request = json.dumps({"apiVersion": version, "kind": "ExecCredential", "spec": spec})
    extra = {item["name"]: item["value"] for item in plugin.get("env") or []}
    command = [plugin["command"], *(plugin.get("args") or [])]
    try:
        completed = subprocess.run(
            command,
            env={**os.environ, **extra, "KUBERNETES_EXEC_INFO": request},
            check=True,
            capture_output=True,
            text=True,
            timeout=EXEC_TIMEOUT_SECONDS,
        )
        return dict(json.loads(completed.stdout)["status"])
    except (OSError, subprocess.SubprocessError, ValueError, KeyError) as error:
        lines = (getattr(error, "stderr", None) or str(error)).strip().splitlines()
        raise ProviderError(
            f"the kubeconfig's credential command {plugin['command']} failed: {lines[-1] if lines else error}"
        ) from error
