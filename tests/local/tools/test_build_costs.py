"""What is announced before the first build."""

from __future__ import annotations

from pathlib import Path

import pytest

from local import paths
from local.cluster import addons
from local.tools import build_costs, go_tools
from local.tools.build_costs import Cost


@pytest.fixture(autouse=True)
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two tools, of which none is built."""
    monkeypatch.setattr(paths, "TOOLS", tmp_path / "tools")
    monkeypatch.setattr(paths, "BINARIES", tmp_path / "bin")
    monkeypatch.setattr(build_costs, "BESIDE", Cost(0, 100, 1000))
    monkeypatch.setattr(build_costs, "TOOLS", {"spade": Cost(540, 300, 2000), "rake": Cost(70, 100, 1000)})
    for name in build_costs.TOOLS:
        (tmp_path / "tools" / name).mkdir(parents=True)
        (tmp_path / "tools" / name / "go.mod").write_text("module m\n\ngo 1.24\n")
        (tmp_path / "tools" / name / "go.sum").touch()


def test_time_download_and_disk_of_what_is_missing_are_said_in_a_line() -> None:
    said = build_costs.announcement(["spade"], ["spade", "rake"], with_images=True)
    assert said.startswith("first run: about 10 minutes on two cores until the address is printed, ")
    assert "the rest about 1 minute later" in said
    assert "downloads about 0.5 GB, keeps about 4 GB in ~/.cache and ~/go" in said


def test_what_is_built_counts_no_more_and_nothing_is_said_when_all_is() -> None:
    go_tools.find("spade").directory.mkdir(parents=True)
    assert "about 2 minutes on two cores" in build_costs.announcement(["spade", "rake"], [], with_images=False)
    go_tools.find("rake").directory.mkdir(parents=True)
    assert build_costs.announcement(["spade", "rake"], [], with_images=False) == ""


def test_every_tool_that_a_phase_is_built_from_has_its_cost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    tools = {tool for name in addons.of_phase(4) for tool in addons.ADDONS[name].all_tools}
    assert {"kubernetes", "pulumi", *tools} == set(build_costs.TOOLS)
