"""Programs built from Go modules, for tests of the application's environment."""

import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def built(tool: str) -> str:
    """Return the path of a tool's program; build it if necessary."""
    command = (".venv/infra/bin/python", "-m", "local", "tools", tool)
    return subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT).stdout.strip()
