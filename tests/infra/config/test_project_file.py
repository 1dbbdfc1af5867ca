"""`Pulumi.yaml` declares what `infra/config/settings.py` checks."""

from enum import Enum
from typing import Any

import pytest
import yaml

from infra.config.settings import Settings
from tests.infra.engine import ROOT

PROJECT = yaml.safe_load((ROOT / "Pulumi.yaml").read_text())


def declared_by_the_model(name: str) -> dict[str, Any]:
    """A key of `Pulumi.yaml`, as the model would write it."""
    field = Settings.model_fields[name]
    default = field.default.value if isinstance(field.default, Enum) else field.default
    kind = "boolean" if isinstance(default, bool) else "integer" if isinstance(default, int) else "string"
    return {"type": kind, "default": "" if default is None else default, "description": field.description}


def test_the_project_declares_exactly_the_keys_of_the_model() -> None:
    assert list(PROJECT["config"]) == list(Settings.model_fields)


@pytest.mark.parametrize("name", Settings.model_fields)
def test_a_key_has_the_same_type_default_and_description_in_both(name: str) -> None:
    assert PROJECT["config"][name] == declared_by_the_model(name)


def test_the_project_runs_this_folder_in_its_own_environment() -> None:
    assert PROJECT["main"] == "infra/"
    assert PROJECT["runtime"] == {"name": "python", "options": {"toolchain": "pip", "virtualenv": ".venv/infra"}}


@pytest.mark.parametrize("stack", ["phase1", "phase2"])
def test_an_example_stack_holds_no_secret(stack: str) -> None:
    written = yaml.safe_load((ROOT / f"Pulumi.{stack}.yaml").read_text())
    assert not any(isinstance(value, dict) for value in written["config"].values())
