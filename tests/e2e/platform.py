"""The platform's stack on a bare local cluster, its charts from a repository on loopback."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.e2e.system import ROOT, in_shell
from tests.support.outcome import Outcome

PORT = 8879

ADDONS = "task-manager-platform:addons"


def _traefik() -> Any:
    """Return what the example stack `kind` sets, whose node ports the local cluster has too."""
    example = yaml.safe_load((ROOT / "infra" / "platform" / "Pulumi.kind.yaml").read_text())
    return example["config"][ADDONS]["values"]["traefik"]


@dataclass(frozen=True)
class Platform:
    """The stack `local` of the project infra/platform.

    Args:
        configuration: its file.
    """

    configuration: Path

    @classmethod
    def configured(cls, directory: Path, **addons: Any) -> Platform:
        """Write the stack's configuration.

        Args:
            directory: where the file goes.
            addons: settings beside those that the local cluster needs.
        """
        settings = {"repository": f"http://127.0.0.1:{PORT}", "values": {"traefik": _traefik()}, **addons}
        file = directory / "Pulumi.local.yaml"
        file.write_text(yaml.safe_dump({"config": {ADDONS: settings}}))
        return cls(file)

    def pulumi(self, *arguments: str) -> Outcome:
        """Run pulumi on the stack."""
        return in_shell(
            "pulumi", "--cwd", str(ROOT / "infra" / "platform"), "--non-interactive", *arguments, timeout=1800
        )

    def run(self, command: str, *options: str) -> Outcome:
        """Run a command that reads the stack's configuration."""
        stack = ("--stack", "local", "--config-file", str(self.configuration))
        return self.pulumi(command, *stack, *options)

    def create(self) -> None:
        """Make the stack, without anything in it."""
        self.pulumi("stack", "select", "--create", "local").ok()

    def resources(self) -> list[str]:
        """Return the URNs of what the stack has."""
        exported = json.loads(self.pulumi("stack", "export", "--stack", "local").ok())
        return [each["urn"] for each in exported["deployment"].get("resources", [])]
