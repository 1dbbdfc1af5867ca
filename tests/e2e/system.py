"""The running system as a test sees it: its address, and the shell that `make shell` gives."""

from __future__ import annotations

import functools
import json
import os
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep
from typing import Any, TypeVar

from tests.support.outcome import Outcome

ROOT = Path(__file__).parents[2]
OF_MAKE = {"MAKEFLAGS", "MAKEOVERRIDES", "MFLAGS", "MAKELEVEL", "PHASE", "STACK"}
T = TypeVar("T")


def run(*command: str, env: Mapping[str, str] | None = None, timeout: float = 600, stdin: str | None = None) -> Outcome:
    """Run a command in the repository's root; `timeout` in seconds, `stdin` what it reads.

    What make says of itself to those below it is left out: a make that a test runs is a user's, with no PHASE of ours.
    """
    inherited = {name: value for name, value in os.environ.items() if name not in OF_MAKE}
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={**inherited, **(env or {})},
        input=stdin or "",
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=timeout,
        check=False,
    )
    return Outcome(done.returncode, done.stdout)


def in_shell(*command: str, env: Mapping[str, str] | None = None, timeout: float = 600) -> Outcome:
    """Run a command in the environment that `make shell` gives, with `env` on top."""
    extra = "".join(f"export {name}={value!r}; " for name, value in (env or {}).items())
    script = f'eval "$(.venv/infra/bin/python -m local env)"; {extra}exec "$@"'
    return run("bash", "-ec", script, "shell", *command, timeout=timeout)


@functools.cache
def cluster_environment() -> dict[str, str]:
    """Return the variables with which programs find the cluster; asked for once: tests look at it all the time."""
    shown = run("bash", "-ec", 'eval "$(.venv/infra/bin/python -m local env)"; env -0').ok()
    variables = dict(line.split("=", 1) for line in shown.split("\0") if line)
    return {name: variables[name] for name in ("PATH", "KUBECONFIG")}


def kubectl(*arguments: str) -> Outcome:
    return run("kubectl", *arguments, env=cluster_environment())


def items(*arguments: str) -> list[dict[str, Any]]:
    """Return the objects of `kubectl get <arguments>`, for instance `("pods", "--namespace", "traefik")`."""
    found: list[dict[str, Any]] = json.loads(kubectl("get", *arguments, "--output", "json").ok())["items"]
    return found


def machine_address() -> str:
    """Return the address at which pods reach this machine."""
    [node, *_] = items("nodes")
    return str(next(each["address"] for each in node["status"]["addresses"] if each["type"] == "InternalIP"))


@dataclass(frozen=True)
class System:
    """One stack on the local cluster."""

    phase: int
    url: str

    @property
    def stack(self) -> str:
        return f"phase{self.phase}"

    @property
    def namespace(self) -> str:
        return f"task-manager-{self.stack}"

    @property
    def api(self) -> str:
        return f"{self.url}/api/v1"

    def pulumi(self, *arguments: str, env: Mapping[str, str] | None = None) -> Outcome:
        return in_shell("pulumi", *arguments, "--stack", self.stack, "--non-interactive", env=env)

    def kubectl(self, *arguments: str) -> Outcome:
        return kubectl("--namespace", self.namespace, *arguments)

    def get(self, *arguments: str) -> list[dict[str, Any]]:
        """Return the stack's own objects of `kubectl get <arguments>`, for instance `("pods", "--selector", "a=b")`."""
        return items(*arguments, "--namespace", self.namespace)

    @property
    def tasks_database(self) -> str:
        """Name of the database that the tasks are in."""
        return "tasks" if self.phase < 4 else "tasks_service"

    def sql(self, query: str, pod: str = "", database: str = "") -> list[list[str]]:
        """Return the rows of a query.

        Args:
            query: in SQL.
            pod: the instance that is asked; by default the primary.
            database: its name; by default that of the tasks.
        """
        if not pod:
            (primary,) = self.get("pods", "--selector", "cnpg.io/instanceRole=primary")
            pod = primary["metadata"]["name"]
        name = database or self.tasks_database
        psql = ("psql", "--no-psqlrc", "--tuples-only", "--no-align", "--dbname", name, "--command", query)
        said = self.kubectl("exec", pod, "--container", "postgres", "--", *psql).ok()
        return [line.split("|") for line in said.splitlines()]

    def api_pods(self) -> list[dict[str, Any]]:
        """Return the API's pods that are ready and not on their way out."""
        pods = self.get("pods", "--selector", "app.kubernetes.io/name=task-manager,app.kubernetes.io/component=api")
        return [pod for pod in pods if "deletionTimestamp" not in pod["metadata"] and is_ready(pod)]


def is_ready(pod: Mapping[str, Any]) -> bool:
    """Tell whether the pod's Ready condition is true."""
    conditions = pod["status"].get("conditions", [])
    return any(condition["type"] == "Ready" and condition["status"] == "True" for condition in conditions)


def wait_for(what: str, probe: Callable[[], T], *, seconds: float = 60, every: float = 0.5) -> T:
    """Call `probe` every so many seconds until it returns something true.

    Raises:
        AssertionError: it has not after `seconds`; it names `what`.
    """
    deadline = monotonic() + seconds
    while not (value := probe()):
        assert monotonic() < deadline, f"not within {seconds:.0f} s: {what}"
        sleep(every)  # a look at the cluster costs a tenth of a second of processor time, which the load needs
    return value
