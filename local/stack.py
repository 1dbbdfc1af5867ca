"""A stack on the cluster: brings it up by `pulumi up`, and says where it is and how to log in."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
from dataclasses import dataclass
from typing import Any

import psutil
import requests
from rich.console import Console
from tenacity import retry, retry_if_exception_type, stop_after_delay, wait_fixed

from local import environment, paths
from local.commands import run
from local.errors import LocalError

DEMO_EMAIL = "demo@example.org"


@dataclass(frozen=True)
class Demo:
    """A log-in for the first look; its password is made on this machine and kept in the state directory."""

    email: str
    password: str


def pulumi(*arguments: str, stack: str | None = None, capture: bool = False) -> str:
    """Run pulumi in the repository; return what it printed when `capture` is set.

    Raises:
        LocalError: pulumi failed; it has said why itself, unless its words were captured, which are then the error's.
    """
    command = ["pulumi", *arguments, *(["--stack", stack] if stack else []), "--non-interactive"]
    done = subprocess.run(
        command,
        cwd=paths.ROOT,
        env={**os.environ, **environment.variables()},
        capture_output=capture,
        text=True,
        check=False,
    )
    if done.returncode:
        words = (done.stderr or "").strip().splitlines()
        raise LocalError(words[-1].removeprefix("error: ") if words else f"`{' '.join(command)}` failed: see above")
    return done.stdout or ""


def release_stale_lock(stack: str) -> None:
    """Let go of a lock whose run has ended without doing so itself (killed, or the machine restarted)."""
    for lock in (paths.PULUMI / ".pulumi" / "locks" / "organization" / "task-manager" / stack).glob("*.json"):
        if not psutil.pid_exists(json.loads(lock.read_text())["pid"]):
            lock.unlink(missing_ok=True)


def outputs(stack: str | None) -> dict[str, Any]:
    """Return the outputs of the stack, or of the one that came up last; raise LocalError when it is not up."""
    environment.prepare()
    try:
        said: dict[str, Any] = json.loads(pulumi("stack", "output", "--json", stack=stack, capture=True))
    except LocalError as error:
        if not str(error).startswith("no stack "):
            raise
        said = {}
    if "url" not in said:
        raise LocalError(f"stack {stack} is not up: run `make up`" if stack else "no stack is up: run `make up`")
    return said


def select(stack: str) -> None:
    """Make the stack the current one, and make it if there is none."""
    pulumi("stack", "select", "--create", stack)


def up(stack: str) -> None:
    """Run `pulumi up` for the stack and wait until its address answers."""
    release_stale_lock(stack)
    pulumi("up", "--yes", "--skip-preview", stack=stack)
    told = outputs(stack)
    wait_until_scaled(told["namespace"])
    wait_until_served(told["url"])


def kubectl(*arguments: str, namespace: str) -> str:
    """Run kubectl in a namespace and return what it printed; raise LocalError with its words when it failed."""
    return run("kubectl", "--namespace", namespace, *arguments, env=environment.variables())


def wait_until_scaled(namespace: str) -> None:
    """Return when the API has the least number of pods that its autoscaler keeps.

    A first installation is ready with one pod; the autoscaler adds the others at its next look, within 15 seconds.
    """
    least = kubectl("get", "hpa/task-manager", "--output=jsonpath={.spec.minReplicas}", namespace=namespace)
    ready = f"--for=jsonpath={{.status.readyReplicas}}={least}"
    kubectl("wait", "deployment/task-manager", ready, "--timeout=120s", namespace=namespace)


@retry(
    retry=retry_if_exception_type(requests.RequestException),
    stop=stop_after_delay(60),
    wait=wait_fixed(0.5),
    reraise=True,
)
def wait_until_served(url: str) -> None:
    """Return when the address answers that it is ready; raise requests.RequestException after 60 s."""
    requests.get(f"{url}/health/ready", timeout=5).raise_for_status()


def post(url: str, body: dict[str, str]) -> int:
    """Post JSON and return the status."""
    return requests.post(url, json=body, timeout=30).status_code


def demo(stack: str, url: str) -> Demo:
    """Return a log-in that works, registering one when the kept one does not."""
    kept = paths.STATE / f"demo-{stack}.json"
    if kept.exists():
        known = Demo(**json.loads(kept.read_text()))
        if post(f"{url}/api/v1/auth/login", vars(known)) == 200:
            return known
    fresh = Demo(DEMO_EMAIL, secrets.token_urlsafe(12))
    if post(f"{url}/api/v1/auth/register", {**vars(fresh), "name": "Demo"}) == 409:
        fresh = Demo(f"demo-{secrets.token_hex(3)}@example.org", fresh.password)
        post(f"{url}/api/v1/auth/register", {**vars(fresh), "name": "Demo"})
    descriptor = os.open(kept, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(vars(fresh), file)
    return fresh


def summary(stack: str, console: Console) -> None:
    """Print the address, a log-in and the next commands."""
    url = outputs(stack)["url"]
    login = demo(stack, url)
    console.print(f"\n[bold]The task manager is up[/]: [link={url}]{url}[/]", highlight=False)
    console.print(f"  log in with   {login.email}   {login.password}", highlight=False, markup=False)
    for command, what in (
        ("make status", "the cluster's parts and the stack's pods"),
        ("make shell", "a shell for pulumi, kubectl and helm"),
        ("make up PHASE=2", "three instances, PostgreSQL with a standby, Valkey, a gateway"),
        ("make down", "take everything down again"),
    ):
        console.print(f"  {command:<16}{what}", highlight=False, markup=False)


def status(stack: str | None) -> None:
    """Show the stack's outputs and pods."""
    said = outputs(stack)
    console = Console(soft_wrap=True, highlight=False)
    for name, value in sorted(said.items()):
        if isinstance(value, str | int):
            console.print(f"{name:<12} {value}", markup=False)
    for part, command in said["reach"].items():
        console.print(f"{'to ' + part:<12} {command}", markup=False)
    console.print(kubectl("get", "pods,horizontalpodautoscalers", namespace=said["namespace"]), markup=False)
