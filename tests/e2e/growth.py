"""Stacks of an earlier phase, and the tasks that have to be there after their growth."""

from __future__ import annotations

from pathlib import Path
from uuid import uuid4

import yaml

from tests.e2e.system import ROOT, System, in_shell, run


def configuration(stack_of: int, directory: Path, **changed: object) -> Path:
    """Write the configuration of a phase's stack with other values; return the file.

    Args:
        stack_of: the phase.
        directory: where the file goes.
        changed: settings by name; a section is an object, and replaces the stack's.
    """
    values = yaml.safe_load((ROOT / f"Pulumi.phase{stack_of}.yaml").read_text())
    values["config"] |= {
        f"task-manager:{name}": value if isinstance(value, dict) else str(value) for name, value in changed.items()
    }
    file = directory / f"{uuid4().hex}.yaml"
    file.write_text(yaml.safe_dump(values))
    return file


def up_as_before(phase: int, configured: Path, *options: str) -> System:
    """Bring the stack of a phase up anew, with a configuration of an earlier one.

    Args:
        phase: whose stack it is.
        configured: the configuration.
        options: of the local cluster, as `python -m local up` takes them.
    """
    run(".venv/infra/bin/python", "-m", "local", "up", "--phase", str(phase), *options, timeout=3000).ok()
    url = yaml.safe_load(configured.read_text())["config"]["task-manager:url"]
    system = System(phase, url)
    in_shell("pulumi", "stack", "select", "--create", system.stack).ok()
    system.pulumi("destroy", "--yes").ok()
    system.pulumi("up", "--yes", "--skip-preview", "--config-file", str(configured)).ok()
    return system


def titles(system: System, beginning: str) -> list[str]:
    """Return the titles of all tasks that begin with a text, in order."""
    return [title for [title] in system.sql(f"select title from tasks where title like '{beginning}%' order by title")]  # noqa: S608
