"""The order in which a run brings the cluster, the stack and what comes after it."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path

import pytest

from local import paths
from local.cluster import addons, lifecycle, preflight, teardown
from local.cluster.addons import Addon
from local.cluster.nodes import Node
from local.cluster.record import Record, load_record
from local.errors import LocalError
from local.host import packages
from local.images import build_queue, catalogue
from local.progress import Progress
from local.tools import environment, wheels

WHOLE = ("storage", "dns", "metrics")


class Run:
    """Calls of `lifecycle.up` with parts that only write down their names."""

    def __init__(self) -> None:
        self.events: list[str] = []
        self.failing = ""

    def part(self, name: str) -> Callable[[list[Node]], None]:
        def install(_: list[Node]) -> None:
            if name == self.failing:
                raise LocalError(f"{name} failed")
            self.events.append(name)

        return install

    def serve(self) -> None:
        assert load_record() is not None
        self.events.append("stack")

    def up(self, phase: int = 1, *, stack: bool = True) -> None:
        self.events.clear()
        wanted = addons.of_phase(phase)
        lifecycle.up(phase, 1, wanted, Progress(), with_image=False, serve=self.serve if stack else None)


@pytest.fixture
def run(cluster: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    made = Run()
    monkeypatch.setattr(paths, "CLUSTER_RECORD", cluster / "complete.json")
    parts = {name: Addon(name, made.part(name)) for name in WHOLE}
    monkeypatch.setattr(addons, "ADDONS", parts)
    monkeypatch.setattr(addons, "PHASES", {1: WHOLE, 2: WHOLE})
    monkeypatch.setattr(preflight, "check_machine", lambda _: None)
    monkeypatch.setattr(teardown, "is_anything_left", lambda: False)
    monkeypatch.setattr(lifecycle, "_start_nodes", lambda *_: made.events.append("nodes"))
    monkeypatch.setattr(catalogue, "PAUSE", None)
    monkeypatch.setattr(build_queue.BuildQueue, "archive", lambda *_: cluster)
    built: Future[Path] = Future()
    built.set_result(cluster)
    monkeypatch.setattr(build_queue.BuildQueue, "tool", lambda *_: built)
    monkeypatch.setattr(build_queue.BuildQueue, "download", lambda *_: built)
    monkeypatch.setattr(packages, "missing", list)
    monkeypatch.setattr(wheels, "kubectl", lambda: cluster)
    monkeypatch.setattr(environment, "link_programs", lambda: None)
    return made


def test_phase_1_answers_before_metrics_are_brought(run: Run) -> None:
    run.up()
    assert run.events == ["nodes", "storage", "dns", "stack", "metrics"]
    known = load_record()
    assert known is not None
    assert set(known.addons) == set(WHOLE)
    assert known.deferred == ()


def test_other_phases_and_a_cluster_alone_have_them_first(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    run.up(2)
    assert run.events == ["nodes", "storage", "dns", "metrics", "stack"]
    run.up(1, stack=False)
    assert run.events == ["nodes", "storage", "dns", "metrics"]
    assert "what is left" not in capsys.readouterr().err


def test_what_failed_after_the_stack_is_recorded_and_brought_by_the_next_run(
    run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    run.failing = "metrics"
    with pytest.raises(LocalError, match="metrics failed"):
        run.up()
    assert run.events[-1] == "stack"
    known = load_record()
    assert known is not None
    assert (known.addons, known.deferred) == (("storage", "dns"), ("metrics",))
    assert known.deferred_since > 0
    assert "the stack is up; `make up` brings what is left: metrics" in capsys.readouterr().err
    run.failing = ""
    run.up()
    assert run.events[-1] == "metrics"
    assert load_record() == Record(1, WHOLE, lifecycle.BOOT_ID.read_text().strip())


def test_a_failure_before_the_stack_does_not_bring_it(run: Run) -> None:
    run.failing = "dns"
    with pytest.raises(LocalError, match="dns failed"):
        run.up()
    assert "stack" not in run.events
