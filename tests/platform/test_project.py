"""The project's files: what is generated is current, and nothing in its folders hides a standard module."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from infra.config import project_file
from infra.config.reading import paths_of
from infra.platform.project_file import DOCUMENTS, PAGE, PROJECT_FILE
from infra.platform.settings import PlatformSettings, load_settings
from tests.platform import engine
from tests.platform.engine import ROOT

PROJECT = yaml.safe_load(PROJECT_FILE.read_text())


def test_the_project_file_is_current() -> None:
    text = PROJECT_FILE.read_text()
    assert project_file.project_file(text, DOCUMENTS) == text, "write it by `make settings` and commit it"


def test_the_page_of_settings_is_current() -> None:
    assert PAGE.read_text() == project_file.page(DOCUMENTS), "write it by `make settings` and commit it"


@pytest.mark.parametrize("path", paths_of(PlatformSettings))
def test_a_setting_is_described_once_in_the_page(path: str) -> None:
    rows = [line for line in project_file.page(DOCUMENTS).splitlines() if line.startswith(f"| `{path}` |")]
    assert len(rows) == 1
    assert rows[0].split(" | ")[2].strip(" |"), "it says what it is"


def test_a_project_without_settings_is_a_provided_cluster() -> None:
    assert load_settings(engine.project_defaults()) == PlatformSettings()


def test_pulumi_finds_environment_and_requirements_beside_the_program() -> None:
    options = PROJECT["runtime"]["options"]
    assert (PROJECT_FILE.parent / options["virtualenv"]).resolve().name == "platform"
    [line] = (PROJECT_FILE.parent / "requirements.txt").read_text().splitlines()
    assert (PROJECT_FILE.parent / line.removeprefix("-r ")).exists()


@pytest.mark.parametrize("folder", ["infra", "infra/platform"])
def test_a_program_folder_hides_no_standard_module(folder: str) -> None:
    """The engine puts it first on the path. A folder without `__init__.py` comes after all modules, so it may."""
    shown = subprocess.run(
        [sys.executable, "-c", "import platform, sys; print(platform.__file__, hasattr(platform, 'system'))"],
        env={"PYTHONPATH": str(ROOT / folder)},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    assert Path(shown[0]).is_relative_to(sys.base_prefix)
    for entry in (ROOT / folder).iterdir():
        module = entry.suffix == ".py" or (entry / "__init__.py").exists()
        assert not module or entry.stem not in sys.stdlib_module_names, entry


def test_an_environment_needs_nothing_of_the_platform() -> None:
    """import-linter sees no folder without `__init__.py`. `infra/cost` prices both, and neither program imports it."""
    for file in (ROOT / "infra").rglob("*.py"):
        if not {"platform", "cost"} & set(file.relative_to(ROOT).parts):
            assert not re.search(r"^\s*(from|import) infra\.platform", file.read_text(), re.MULTILINE), file


@pytest.mark.parametrize("stack", ["kind", "vps", "digitalocean", "aws"])
def test_an_example_stack_holds_no_secret(stack: str) -> None:
    assert " secure: " not in (ROOT / "infra" / "platform" / f"Pulumi.{stack}.yaml").read_text()
