"""Tools built from Go modules."""

from __future__ import annotations

import re
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

from local import paths
from local.errors import LocalError
from local.tools import go_tools


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(paths, "TOOLS", tmp_path)
    directory = tmp_path / "spade"
    directory.mkdir()
    (directory / "go.mod").write_text("module m\n\ngo 1.24.3\n\ntool (\n\texample.org/a\n\texample.org/b\n)\n")
    (directory / "go.sum").write_text("example.org/a v1.0.0 h1:x\n")
    return directory


def test_the_tool_directive_names_the_packages(module: Path) -> None:
    assert go_tools.find("spade").packages == ["example.org/a", "example.org/b"]
    (module / "go.mod").write_text("module m\n\ngo 1.24\n\ntool example.org/a\n")
    assert go_tools.find("spade").packages == ["example.org/a"]
    (module / "go.mod").write_text("module m\n\ngo 1.24\n")
    assert go_tools.find("spade").packages == ["."]


def test_the_directory_of_a_build_changes_with_all_that_it_is_made_of(module: Path) -> None:
    seen = [go_tools.find("spade").digest]
    (module / "go.sum").write_text("example.org/a v1.0.0 h1:y\n")
    seen.append(go_tools.find("spade").digest)
    (module / "main.go").write_text("package main\n")
    seen.append(go_tools.find("spade").digest)
    assert len(set(seen)) == 3


@pytest.mark.usefixtures("module")
def test_an_unknown_tool_is_named_with_those_there_are() -> None:
    with pytest.raises(LocalError, match="shovel: there are spade"):
        go_tools.find("shovel")


@pytest.mark.usefixtures("module")
def test_versions_compare_by_number() -> None:
    assert go_tools.find("spade").go_directive() == (1, 24, 3)
    assert go_tools.version("1.9.2") < go_tools.version("1.10")


@pytest.mark.usefixtures("module")
def test_compilers_make_no_debug_data_for_the_linker_to_drop() -> None:
    flags = go_tools.find("spade").flags
    assert "-gcflags=all=-dwarf=false" in flags
    assert flags[-1].startswith("-s -w")


def test_a_binary_of_several_names_is_linked_under_each_of_them(
    module: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (module / "go.mod").write_text("module m/spade\n\ngo 1.24\n")
    (module / "main.go").write_text("package main\n\nfunc main() {}\n")
    monkeypatch.setattr(paths, "BINARIES", tmp_path / "bin")
    monkeypatch.setattr(go_tools, "LINKS", {"spade": ("dig", "shovel")})
    built = go_tools.build("spade")
    assert (built / "dig").readlink() == (built / "shovel").readlink() == Path("spade")
    assert (built / "spade").is_file()


@pytest.mark.usefixtures("module")
def test_a_tool_that_two_commands_want_is_built_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    both_build = threading.Barrier(2)
    builds: list[tuple[object, ...]] = []

    def compile_beside_the_other(*command: object, **_: object) -> None:
        builds.append(command)
        with suppress(threading.BrokenBarrierError):
            both_build.wait(timeout=0.5)

    monkeypatch.setattr(paths, "BINARIES", tmp_path / "bin")
    monkeypatch.setattr(go_tools, "go", lambda _: Path("go"))
    monkeypatch.setattr(go_tools, "run", compile_beside_the_other)
    with ThreadPoolExecutor(2) as commands:
        assert len(set(commands.map(go_tools.build, ["spade", "spade"]))) == 1
    assert len(builds) == 1


def test_the_kubernetes_binary_knows_each_name_that_it_is_linked_under() -> None:
    source = (paths.TOOLS / "kubernetes" / "main.go").read_text()
    assert set(re.findall(r'case "([a-z-]+)":', source)) == set(go_tools.LINKS["kubernetes"])


@pytest.mark.usefixtures("module")
def test_modules_are_downloaded_for_what_is_not_built_yet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[tuple[object, ...]] = []

    def record(*command: object, **_: object) -> str:
        calls.append(command)
        return "go version go1.26.8"

    monkeypatch.setattr(paths, "BINARIES", tmp_path / "bin")
    monkeypatch.setattr(go_tools, "run", record)
    go_tools.download("spade")
    assert calls[-1][1:] == ("list", "-deps", "example.org/a", "example.org/b")
    calls.clear()
    go_tools.find("spade").directory.mkdir(parents=True)
    go_tools.download("spade")
    assert calls == []


def test_every_tool_of_the_repository_pins_what_it_needs() -> None:
    modules = [path for path in paths.TOOLS.iterdir() if path.is_dir() and path.name != "__pycache__"]
    assert modules
    for module in modules:
        tool = go_tools.find(module.name)
        assert tool.packages
        assert tool.packages == ["."] or (module / "go.sum").exists()
