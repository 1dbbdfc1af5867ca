"""`Pulumi.yaml` and docs/settings.md are written from the models in `infra/config`."""

import pytest
import yaml

from infra.config import project_file
from infra.config.flat_keys import FLAT_KEYS
from infra.config.reading import paths_of
from infra.config.settings import Settings
from tests.infra.engine import ROOT

PROJECT = yaml.safe_load((ROOT / "Pulumi.yaml").read_text())


def test_the_project_declares_exactly_the_keys_of_the_model() -> None:
    assert list(PROJECT["config"]) == list(Settings.model_fields)


def test_the_project_file_is_current() -> None:
    text = project_file.PROJECT_FILE.read_text()
    assert project_file.project_file(text) == text, "write it by `make settings` and commit it"


def test_the_page_of_settings_is_current() -> None:
    assert project_file.PAGE.read_text() == project_file.page(), "write it by `make settings` and commit it"


@pytest.mark.parametrize("path", paths_of(Settings))
def test_a_setting_is_described_once_in_the_page(path: str) -> None:
    rows = [line for line in project_file.page().splitlines() if line.startswith(f"| `{path}` |")]
    assert len(rows) == 1
    assert rows[0].split(" | ")[2].strip(), "it says what it is"


def test_a_section_with_the_name_of_a_flat_key_takes_the_scalar_of_older_stacks() -> None:
    """The engine refuses a scalar for what is declared as an object."""
    for name, declared in PROJECT["config"].items():
        if declared["default"] == {}:
            assert ("type" in declared) is (name not in FLAT_KEYS), name


def test_the_project_runs_this_folder_in_its_own_environment() -> None:
    assert PROJECT["main"] == "infra/"
    assert PROJECT["runtime"] == {"name": "python", "options": {"toolchain": "pip", "virtualenv": ".venv/infra"}}


def test_the_language_host_finds_the_locked_dependencies_beside_the_program() -> None:
    """It reads `requirements.txt` in the folder of `main`, and nowhere else."""
    folder = ROOT / PROJECT["main"]
    lines = (folder / "requirements.txt").read_text().splitlines()
    [included] = [line.removeprefix("-r ") for line in lines if not line.startswith("#")]
    assert (folder / included).resolve() == ROOT / "requirements" / "infra.txt"


@pytest.mark.parametrize("stack", ["phase1", "phase2"])
def test_an_example_stack_holds_no_secret(stack: str) -> None:
    written = yaml.safe_load((ROOT / f"Pulumi.{stack}.yaml").read_text())
    assert "secure" not in str(written["config"])
