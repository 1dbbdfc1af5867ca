"""Settings of a stack and of its platform, from their files: no engine and no cluster is asked."""

import json
from pathlib import Path
from typing import Any, Final

from infra.config.flat_keys import as_text
from infra.config.settings import Settings, load_settings
from infra.config.stack_file import is_secret, read_stack_file
from infra.names import PROJECT
from infra.platform.settings import PlatformSettings
from infra.platform.settings import load_settings as load_platform

ROOT: Final = Path(__file__).resolve().parents[2]
HOST: Final = "tasks.example.com"
"""In place of a platform's, where a stack has to have one."""


def phase_settings(phase: int) -> Settings:
    """Return the settings of a stack that sets its phase and its address alone."""
    address = {f"{PROJECT}:hostname": HOST, f"{PROJECT}:url": f"https://{HOST}"}
    return load_settings({f"{PROJECT}:phase": str(phase), **address})


def stack_settings(name: str, root: Path = ROOT) -> Settings:
    """Return the settings of a stack.

    Args:
        name: of its file.
        root: the project's folder.

    Raises:
        ValueError: there is no such file.
        pulumi.RunError: a setting is wrong.
    """
    return load_settings(_configuration(root / f"Pulumi.{name}.yaml"), platform_settings=lambda _: {"hostname": HOST})


def platform_settings(name: str, root: Path = ROOT) -> PlatformSettings:
    """Return the settings of a platform.

    Args:
        name: as in the setting `platform`.
        root: the project's folder.

    Raises:
        ValueError: there is no such file.
        pulumi.RunError: a setting is wrong.
    """
    return load_platform(_configuration(root / "infra" / "platform" / f"Pulumi.{name.rpartition('/')[2]}.yaml"))


def _configuration(file: Path) -> dict[str, str]:
    """Return a file's configuration as the engine hands it over: strings, and objects as JSON; without secrets."""
    return {
        key: json.dumps(value) if isinstance(value, dict | list) else as_text(value)
        for key, value in _without_secrets(read_stack_file(file)).items()
    }


def _without_secrets(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    return {key: _without_secrets(each) for key, each in value.items() if not is_secret(each)}
