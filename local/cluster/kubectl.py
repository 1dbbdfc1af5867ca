"""kubectl against the local cluster: manifests are rendered, applied and waited for."""

from __future__ import annotations

import json
from pathlib import Path
from string import Template
from typing import Any

from tenacity import retry, retry_if_exception_type, stop_after_delay, wait_fixed

from local import paths
from local.errors import LocalError
from local.host import commands
from local.tools import wheels

MANAGER = "primetrade-local"


def render(name: str, **values: object) -> str:
    """Return a manifest of `local/cluster/manifests` with its `${…}` filled in.

    Raises:
        KeyError: a value is missing.
    """
    return Template((paths.MANIFESTS / f"{name}.yaml").read_text()).substitute(
        {key: str(v) for key, v in values.items()}
    )


def run(
    *arguments: str | Path, stdin: str | None = None, timeout: float | None = None, kubeconfig: Path | None = None
) -> str:
    """Run kubectl against the cluster that was made here, or with another kubeconfig."""
    named = f"--kubeconfig={kubeconfig or paths.own_kubeconfig()}"
    return commands.run(wheels.kubectl(), named, *arguments, stdin=stdin, timeout=timeout)


def apply(content: str) -> None:
    """Apply manifests as their only owner."""
    run("apply", "--server-side", "--force-conflicts", f"--field-manager={MANAGER}", "-f", "-", stdin=content)


def apply_files(*files: Path) -> None:
    """Apply files or directories."""
    named = [part for file in files for part in ("-f", str(file))]
    run("apply", "--server-side", "--force-conflicts", f"--field-manager={MANAGER}", *named)


def wait_rollout(namespace: str, deployment: str, seconds: int = 180) -> None:
    """Return when a Deployment is available.

    Raises:
        LocalError: it is not after that many seconds; the message says what its pods wait for.
    """
    target = f"deployment/{deployment}"
    try:
        run("--namespace", namespace, "rollout", "status", target, f"--timeout={seconds}s", timeout=seconds + 30)
    except LocalError as error:
        pods = json.loads(run("--namespace", namespace, "get", "pods", "-o", "json"))["items"]
        raise LocalError(f"{deployment} is not available after {seconds} s: {explain(pods)}") from error


def explain(pods: list[dict[str, Any]]) -> str:
    """Return what pods that are not ready wait for, in the words of the kubelet and the scheduler."""
    reasons = []
    for pod in pods:
        status = pod.get("status", {})
        containers = [*status.get("initContainerStatuses", []), *status.get("containerStatuses", [])]
        for container in containers:
            waiting = container["state"].get("waiting")
            last = container.get("lastState", {}).get("terminated", {})
            if waiting:
                ended = f", ended with status {last['exitCode']}" if last else ""
                reasons.append(f"{pod['metadata']['name']}: {waiting['reason']} {waiting.get('message', '')}{ended}")
        if not containers:
            messages = [condition.get("message", "") for condition in status.get("conditions", [])]
            reasons.append(f"{pod['metadata']['name']}: {' '.join(filter(None, messages))}")
    return "; ".join(reasons) or "no pod says why"


def wait_condition(kind: str, name: str, condition: str, seconds: int = 120) -> None:
    """Return when an object of the whole cluster has a condition; raise LocalError after that many seconds."""
    run("wait", f"--for=condition={condition}", f"{kind}/{name}", f"--timeout={seconds}s", timeout=seconds + 30)


@retry(retry=retry_if_exception_type(LocalError), stop=stop_after_delay(60), wait=wait_fixed(0.3), reraise=True)
def wait_ready(node: str) -> None:
    """Return when a node has joined and is ready; raise LocalError after about 2 minutes."""
    run("wait", "--for=condition=Ready", f"node/{node}", "--timeout=60s", timeout=90)


def report_disk(node: str, free_bytes: int) -> None:
    """Say how much disk a node's pods may use between them.

    The kubelet leaves it out, since its isolation of local storage is off (see `node_agents`), and then nothing that
    requests ephemeral storage could be scheduled. It keeps what stands in the node's status.
    """
    capacity = {"status": {"capacity": {"ephemeral-storage": str(free_bytes)}}}
    run("patch", "node", node, "--subresource=status", "--type=merge", "--patch", json.dumps(capacity))
