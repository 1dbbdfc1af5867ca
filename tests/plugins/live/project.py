"""A Pulumi project in a temporary folder, and the real engine run on it by its command line."""

import json
import os
import subprocess
import textwrap
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from local import paths
from tests.support.outcome import Outcome

TIMEOUT_SECONDS = 180
STACK = "test"
_PYTHON = paths.ROOT / ".venv" / "infra"


@dataclass
class Project:
    """One project with one stack and a state of its own."""

    folder: Path
    pulumi: Path
    kubeconfig: Path
    extra: dict[str, str] = field(default_factory=dict)

    def create(self) -> None:
        """Write the project and make its stack."""
        (self.folder / "infra").mkdir(parents=True)
        (self.folder / "state").mkdir()
        options = f"runtime:\n  name: python\n  options:\n    virtualenv: {_PYTHON}\n"
        (self.folder / "Pulumi.yaml").write_text(f"name: sample\nmain: infra/\n{options}")
        self.program("")
        self.run("stack", "init", STACK).ok()

    def program(self, body: str) -> None:
        """Write the program; `pulumi`, `core`, `apps`, `helm` and `opts` are there for it."""
        head = """
            import pulumi
            from pulumi import ResourceOptions as opts
            from pulumi_kubernetes import Provider
            from pulumi_kubernetes.core import v1 as core
            from pulumi_kubernetes.apps import v1 as apps
            from pulumi_kubernetes.helm import v3 as helm
            from pulumi_kubernetes.apiextensions import CustomResource
        """
        (self.folder / "infra" / "__main__.py").write_text(textwrap.dedent(head) + textwrap.dedent(body))

    def run(self, *arguments: str, timeout: float = TIMEOUT_SECONDS) -> Outcome:
        """Run a command of the engine."""
        done = subprocess.run(
            [str(self.pulumi), *arguments, "--non-interactive"],
            cwd=self.folder,
            env=self.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=timeout,
            check=False,
        )
        return Outcome(done.returncode, done.stdout)

    def environment(self) -> dict[str, str]:
        """Give the environment of the engine: its state in the project's folder, these plugins on PATH."""
        return {
            **os.environ,
            "PATH": f"{paths.PLUGINS}{os.pathsep}{self.pulumi.parent}{os.pathsep}{os.environ['PATH']}",
            "KUBECONFIG": str(self.kubeconfig),
            "PULUMI_BACKEND_URL": f"file://{self.folder / 'state'}",
            "PULUMI_HOME": str(self.folder / "home"),
            "PULUMI_CONFIG_PASSPHRASE": "",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            **self.extra,
        }

    def up(self, *arguments: str) -> Outcome:
        """Bring the stack up."""
        return self.run("up", "--yes", "--skip-preview", "--stack", STACK, *arguments)

    def preview(self) -> Outcome:
        """Show what would change."""
        return self.run("preview", "--diff", "--stack", STACK)

    def state(self) -> str:
        """Give the whole state, as it is stored."""
        return self.run("stack", "export", "--stack", STACK).ok()

    def outputs(self) -> Any:
        """Give the stack's outputs."""
        return json.loads(self.run("stack", "output", "--json", "--stack", STACK).ok())

    def destroy(self) -> None:
        """Delete everything that is left."""
        self.run("destroy", "--yes", "--skip-preview", "--stack", STACK).ok()
