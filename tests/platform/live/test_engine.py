"""The real engine and the real SDKs, with stand-ins of the providers: preview, up, and no change after it."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
import yaml

from local import paths
from tests.platform.engine import CREDENTIALS, ROOT
from tests.support.tools import built

PROVIDERS = {"aws": "pulumi-aws", "digitalocean": "pulumi-digitalocean", "command": "pulumi-command"} | {
    "tls": "pulumi-tls",
    "kubernetes": "pulumi-kubernetes",
}
TIMEOUT = 300


@dataclass
class Project:
    """A copy of a project, whose program is the repository's, with a state of its own."""

    folder: Path
    state: Path
    plugins: Path

    def run(self, *arguments: str, **variables: str) -> str:
        """Run pulumi and return what it printed.

        Raises:
            AssertionError: it failed, or ran longer than it may.
        """
        code, text = self.try_run(*arguments, **variables)
        assert code == 0, text
        return text

    def try_run(self, *arguments: str, **variables: str) -> tuple[int, str]:
        """Run pulumi; return its exit code and what it printed."""
        path = os.pathsep.join(map(str, (self.plugins, paths.PLUGINS)))
        environment = {
            "PATH": f"{path}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(self.state),
            "PYTHONPATH": "",
            "PULUMI_BACKEND_URL": f"file://{self.state}",
            "PULUMI_HOME": str(self.state / "home"),
            "PULUMI_CONFIG_PASSPHRASE": "",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            **CREDENTIALS,
            **variables,
        }
        done = subprocess.run(
            ["pulumi", *arguments, "--non-interactive"],
            cwd=self.folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=TIMEOUT,
            check=False,
        )
        return done.returncode, done.stdout


@pytest.fixture(scope="module")
def plugins(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the engine and a stand-in of each provider."""
    folder = tmp_path_factory.mktemp("plugins")
    (folder / "pulumi").symlink_to(built("pulumi").splitlines()[0])
    for name, package in PROVIDERS.items():
        program = folder / f"pulumi-resource-{name}"
        command = (
            f"PYTHONPATH={ROOT} exec {sys.executable} -m tests.platform.stand_in {name} {metadata.version(package)}"
        )
        program.write_text(f"#!/bin/sh\n{command}\n")
        program.chmod(0o755)
    return folder


@pytest.fixture
def project(tmp_path: Path, plugins: Path) -> Project:
    """The platform's project."""
    folder, state = tmp_path / "project", tmp_path / "state"
    folder.mkdir()
    state.mkdir()
    (folder / "infra").symlink_to(ROOT / "infra")
    declared = yaml.safe_load((ROOT / "infra" / "platform" / "Pulumi.yaml").read_text())
    declared |= {"main": "infra/platform/"}
    declared["runtime"]["options"]["virtualenv"] = str(Path(sys.prefix))
    (folder / "Pulumi.yaml").write_text(yaml.safe_dump(declared))
    for file in (ROOT / "infra" / "platform").glob("Pulumi.*.yaml"):
        (folder / file.name).write_text(file.read_text())
    return Project(folder, state, plugins)


def changes(preview: str) -> dict[str, Any]:
    """What a preview, as JSON, would do."""
    summary: dict[str, Any] = json.loads(preview[preview.index("{") :])["changeSummary"]
    return summary


@pytest.mark.parametrize("name", ["vps", "digitalocean", "aws"])
def test_a_stack_comes_up_and_a_second_run_changes_nothing(project: Project, name: str) -> None:
    project.run("stack", "init", name)
    assert "create" in project.run("preview", "--stack", name)
    project.run("up", "--yes", "--skip-preview", "--stack", name)
    project.run("preview", "--stack", name, "--expect-no-changes")
    outputs = json.loads(project.run("stack", "output", "--json", "--stack", name))
    assert outputs["environment"]["context"] == f"task-manager-{name}"
    state = json.loads((project.state / ".pulumi" / "stacks" / "task-manager-platform" / f"{name}.json").read_text())
    for secret in ("private log-in", "private host-key", "a-secret", "client-key-data: "):
        assert secret not in json.dumps(state), "secrets are encrypted in the state"
    code, told = project.try_run("destroy", "--yes", "--skip-preview", "--stack", name)
    assert code != 0
    assert "protect" in told


def test_an_environment_reads_what_the_platform_offers(project: Project) -> None:
    project.run("stack", "init", "digitalocean")
    project.run("up", "--yes", "--skip-preview", "--stack", "digitalocean")
    other = Project(project.folder.parent / "other", project.state, project.plugins)
    other.folder.mkdir()
    declared = {"name": "task-manager", "runtime": {"name": "python", "options": {"virtualenv": sys.prefix}}}
    (other.folder / "Pulumi.yaml").write_text(yaml.safe_dump(declared))
    (other.folder / "__main__.py").write_text(
        f"import sys; sys.path.insert(0, {str(ROOT)!r})\n"
        "import pulumi\n"
        "from infra.config.settings import load_settings\n"
        "from infra.stack_outputs import platform_settings\n"
        "config = pulumi.runtime.config.CONFIG.get()\n"
        "seen = load_settings(config, platform_settings=platform_settings)\n"
        "pulumi.export('seen', [seen.storage_class, seen.backups.bucket, seen.hostname, seen.context])\n"
    )
    other.run("stack", "init", "prod")
    other.run("config", "set", "phase", "2", "--stack", "prod")
    other.run("config", "set", "platform", "digitalocean", "--stack", "prod")
    other.run("preview", "--stack", "prod")
    other.run("up", "--yes", "--skip-preview", "--stack", "prod")
    assert json.loads(other.run("stack", "output", "seen", "--json", "--stack", "prod")) == [
        "do-block-storage",
        "task-manager-backups-1a2b3c4",
        "tasks.example.com",
        "task-manager-digitalocean",
    ]
    other.run("config", "set", "platform", "nowhere", "--stack", "prod")
    code, told = other.try_run("preview", "--stack", "prod")
    assert code != 0
    stack = "organization/task-manager-platform/nowhere"
    [line] = [line.strip() for line in told.splitlines() if line.strip().startswith("error: configuration")]
    assert line == (
        f"error: configuration: task-manager:platform: the outputs of stack {stack} cannot be read:"
        f' unknown stack "{stack}"'
    )


def test_missing_credentials_are_one_line_and_nothing_is_made(project: Project) -> None:
    project.run("stack", "init", "digitalocean")
    code, told = project.try_run("up", "--yes", "--skip-preview", "--stack", "digitalocean", DIGITALOCEAN_TOKEN="")
    assert code != 0
    assert "digitalocean has no credentials: set DIGITALOCEAN_TOKEN in the environment" in told
    assert "Traceback" not in told
    stack = json.loads(project.run("stack", "export", "--stack", "digitalocean"))
    made = [each["type"] for each in stack["deployment"].get("resources", [])]
    assert made in ([], ["pulumi:pulumi:Stack"])
