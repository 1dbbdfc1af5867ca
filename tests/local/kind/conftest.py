"""A machine with recording stand-ins of docker, kind, kubectl and pulumi on its PATH, and no cluster."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from local import paths
from local.kind import config, lifecycle
from local.progress import Progress
from local.tools import environment, wheels

PROGRAMS = ("docker", "kind", "kubectl", "pulumi")
CLUSTER = "primetrade-test"


@dataclass
class Machine:
    """What the stand-ins were called with and what they answer."""

    programs: Path
    served: list[int]

    def calls(self, *names: str) -> list[str]:
        """Return the command lines so far, of some programs or of all."""
        return [call for call, _, _ in self.records() if not names or call.split()[0] in names]

    def records(self) -> list[tuple[str, str, str]]:
        """Return each command line with its directory and KUBECONFIG."""
        log = self.programs / "calls"
        return [tuple(json.loads(line)) for line in log.read_text().splitlines()] if log.exists() else []

    def forget_calls(self) -> None:
        (self.programs / "calls").unlink(missing_ok=True)

    def change(self, **state: object) -> None:
        """Change what the stand-ins answer: `failures`, `answers` (by how a call begins), `clusters`, `version`."""
        file = self.programs / "state.json"
        file.write_text(json.dumps({**json.loads(file.read_text()), **state}))

    def up(self, phase: int = 1, file: Path = config.DEFAULT, network: str = "") -> None:
        lifecycle.up(phase, file, network, Progress(), lambda: self.served.append(phase))


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    programs = tmp_path / "programs"
    programs.mkdir()
    code = Path(__file__).with_name("stand_in.py").read_text()
    for name in PROGRAMS:
        (programs / name).write_text(f"#!{sys.executable}\n{code}")
        (programs / name).chmod(0o755)
    (programs / "state.json").write_text(
        json.dumps({"failures": {}, "answers": {}, "clusters": [], "version": "kind v0.30.0 go1.24"})
    )
    monkeypatch.setenv("PATH", str(programs))
    monkeypatch.delenv("KUBECONFIG", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setattr(wheels, "kubectl", lambda: programs / "kubectl")
    monkeypatch.setattr(environment, "link_programs", lambda: None)
    state = tmp_path / "state"
    for name, value in {
        "STATE": state,
        "CLUSTER": state / "cluster",
        "CLUSTER_RECORD": state / "cluster" / "complete.json",
        "OWN_PULUMI": state / "pulumi",
        "KIND": state / "kind",
        "KIND_KUBECONFIG": state / "kind" / "kubeconfig",
        "KIND_IMAGE": state / "kind" / "image",
        "KIND_PULUMI": state / "kind" / "pulumi",
        "ON_PATH": tmp_path / "path",
        "CLUSTER_NAME": CLUSTER,
    }.items():
        monkeypatch.setattr(paths, name, value)
    # The ports of the real configuration may be in use by whatever else runs on the machine of the tests.
    monkeypatch.setattr("local.kind.preflight._is_taken", lambda _: False)
    return Machine(programs, [])
