"""Supervised processes are found by their mark, and others are never touched."""

from __future__ import annotations

import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from tenacity import retry, retry_if_exception_type, stop_after_delay, wait_fixed

from local.errors import LocalError
from local.host import processes
from local.host.processes import ProcessSpec


def started_here() -> list[processes.RunningProcess]:
    """Return the tests' own processes. By name too, so that a mistake in `running` can't end a real cluster's."""
    return [process for process in processes.running() if process.name in {"sleeper", "stubborn", "brief"}]


@pytest.fixture
def spec(cluster: Path) -> Iterator[ProcessSpec]:
    config = cluster / "config"
    config.parent.mkdir(parents=True)
    config.write_text("first")
    yield ProcessSpec("sleeper", ("sleep", "60"), (config,))
    processes.stop(started_here(), grace=0)


@retry(retry=retry_if_exception_type(AssertionError), stop=stop_after_delay(10), wait=wait_fixed(0.02), reraise=True)
def found(spec: ProcessSpec) -> processes.RunningProcess:
    process = processes.find(spec)
    assert process is not None
    return process


def test_a_daemon_is_started_once(spec: ProcessSpec) -> None:
    assert processes.start(spec)
    first = found(spec)
    assert not processes.start(spec)
    assert found(spec) == first


def test_a_start_returns_when_the_process_can_be_found(spec: ProcessSpec, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the success of `exec` and the mark there is a moment; a cold disk makes it long."""
    shown = processes._marked
    looks: Counter[int] = Counter()

    def late(pid: int) -> processes.RunningProcess | None:
        looks[pid] += 1
        return shown(pid) if looks[pid] > 3 else None

    monkeypatch.setattr(processes, "_marked", late)
    assert processes.start(spec)
    assert processes.find(spec) is not None


@pytest.mark.usefixtures("cluster")
def test_a_child_of_the_same_program_is_not_taken_for_the_daemon() -> None:
    """A fork has its parent's name and mark until it becomes something else, and may have the lower number."""
    loop = "while :; do sleep 0.1; done"
    forking = ProcessSpec("stubborn", ("sh", "-c", f"sh -c '{loop}' & {loop}"))
    processes.start(forking)
    wait_for_two_shells()
    found = processes.running()
    leader = processes.find(forking, found)
    assert leader is not None
    assert processes.find(forking, found[::-1]) == leader
    assert processes.session_leaders(found) == [leader]
    processes.stop(started_here(), grace=0)


@retry(retry=retry_if_exception_type(AssertionError), stop=stop_after_delay(10), wait=wait_fixed(0.02), reraise=True)
def wait_for_two_shells() -> None:
    assert [process.program for process in processes.running()].count("sh") == 2


def test_a_changed_configuration_starts_it_anew(spec: ProcessSpec) -> None:
    processes.start(spec)
    first = found(spec)
    spec.files[0].write_text("second")
    assert processes.start(spec)
    assert found(spec).pid != first.pid
    assert len(processes.running()) == 1


def test_a_process_of_the_same_program_that_is_not_ours_is_left_alone(spec: ProcessSpec) -> None:
    with subprocess.Popen(["sleep", "60"]) as stranger:
        processes.start(spec)
        found(spec)
        processes.stop(started_here())
        assert stranger.poll() is None
        stranger.kill()
    assert processes.running() == []


def test_another_clusters_processes_are_not_ours(
    spec: ProcessSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    processes.start(spec)
    found(spec)
    with monkeypatch.context() as patch:
        patch.setattr("local.paths.CLUSTER", tmp_path / "another")
        assert processes.running() == []
    assert len(processes.running()) == 1


def test_a_process_that_ignores_term_is_killed(cluster: Path) -> None:
    ready = cluster / "ready"
    stubborn = ProcessSpec("stubborn", ("sh", "-c", f"trap '' TERM; : > {ready}; while :; do sleep 0.1; done"))
    processes.start(stubborn)
    wait_for_file(ready)
    processes.stop(started_here(), grace=0.3)
    assert [process for process in processes.running() if process.program == "sh"] == []
    processes.stop(started_here(), grace=0)


@retry(retry=retry_if_exception_type(AssertionError), stop=stop_after_delay(10), wait=wait_fixed(0.02), reraise=True)
def wait_for_file(file: Path) -> None:
    assert file.exists()


def test_a_daemon_that_ended_is_reported_with_its_last_words(cluster: Path) -> None:
    brief = ProcessSpec("brief", ("sh", "-c", "echo no such bucket; exit 3"))
    processes.start(brief)
    wait_for_words(brief)
    with pytest.raises(LocalError, match=f"brief ended: no such bucket .*{cluster}"):
        processes.check_alive(brief)


@retry(retry=retry_if_exception_type(AssertionError), stop=stop_after_delay(10), wait=wait_fixed(0.02), reraise=True)
def wait_for_words(spec: ProcessSpec) -> None:
    assert spec.log.read_text()
    assert processes.find(spec) is None
