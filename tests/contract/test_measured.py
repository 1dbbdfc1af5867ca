"""The page of measurements on the local cluster."""

from __future__ import annotations

import json
import os
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.e2e.report import main


def test_it_shows_what_the_tests_have_left_with_the_day_of_it(tmp_path: Path) -> None:
    seen, out = tmp_path / "seen" / "phase3", tmp_path / "out"
    seen.mkdir(parents=True)
    (seen / "growth.txt").write_text("phase 2 to 3 in 63 s\n")
    fault = seen / "fault-node-drained.json"
    fault.write_text(json.dumps({"fault": "node drained", "requests": 1614, "longest without a read s": 0.94}))
    os.utime(fault, (0, 0))
    (seen / "autoscaling.json").write_text(json.dumps({"turns": 0, "failed": [0, 1]}))
    (seen / "instances.json").write_text(json.dumps([[-10, 3], [38, 5], [900, 3]]))
    main(seen.parent, out)
    page = (out / "phase3.md").read_text()
    assert "## Parts lost under load (1970-01-01)" in page
    assert "| node drained | 1,614 | 0.9 |" in page
    assert "- phase 2 to 3 in 63 s" in page
    assert "| 0 | 0, 1 |" in page
    assert "Switchover" not in page, "nothing has been measured of it"
    assert (out / "autoscaling.svg").name in page
    ElementTree.parse(out / "autoscaling.svg")  # noqa: S314 our own
    assert not (out / "phase4.md").exists()


def test_each_phase_has_a_page_of_its_own(tmp_path: Path) -> None:
    seen, out = tmp_path / "seen" / "phase4", tmp_path / "out"
    seen.mkdir(parents=True)
    (seen / "away-auth.json").write_text(json.dumps({"away": "auth", "requests": 1837, "failed": 0}))
    (seen / "parts.json").write_text(json.dumps({"part": "all", "pods": 27, "MiB": 2197}))
    main(seen.parent, out)
    page = (out / "phase4.md").read_text()
    assert page.startswith("# Phase 4 ")
    assert "| auth | 1,837 | 0 |" in page
    assert "| all | 27 | 2,197 |" in page


def test_a_section_that_was_not_measured_anew_stays_as_it_was(tmp_path: Path) -> None:
    seen, out = tmp_path / "seen" / "phase4", tmp_path / "out"
    seen.mkdir(parents=True)
    for name, rows in (("parts.json", {"part": "all", "MiB": 1}), ("growth.txt", "grown in 63 s")):
        (seen / name).write_text(rows if isinstance(rows, str) else json.dumps(rows))
    main(seen.parent, out)
    before = (out / "phase4.md").read_text()
    (seen / "growth.txt").unlink()
    (seen / "parts.json").write_text(json.dumps({"part": "all", "MiB": 2}))
    main(seen.parent, out)
    assert (out / "phase4.md").read_text() == before.replace("| all | 1 |", "| all | 2 |")
    assert "- grown in 63 s" in before


def test_where_nothing_was_measured_the_former_page_stays(tmp_path: Path) -> None:
    (tmp_path / "phase3.md").write_text("former")
    with pytest.raises(SystemExit, match=r"^error: nothing has been measured here: run `make e2e PHASE=3` first$"):
        main(tmp_path / "nothing", tmp_path)
    assert (tmp_path / "phase3.md").read_text() == "former"
