"""Supervision of the cluster's long-running processes.

Each carries a mark in its environment: the cluster's directory, its own name, and a digest of how it was started. The
mark comes with the program itself, whatever is killed around it, and no process of anyone else can be taken for ours.
No files of process ids have to be kept true.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import select
import signal
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

from local import paths
from local.errors import LocalError

MARK = "PRIMETRADE_PROCESS"
LOG_BYTES = 20_000_000


@dataclass(frozen=True)
class ProcessSpec:
    """How a long-running process is started.

    Attributes:
        name: unique in the cluster; its log is `<logs>/<name>.log`.
        command: program and arguments.
        files: configuration that it reads at its start alone; a change in one of them restarts it.
        network: name of the network namespace that it runs in; the host's own without one.
        environment: variables on top of PATH and HOME.
    """

    name: str
    command: tuple[str, ...]
    files: tuple[Path, ...] = ()
    network: str | None = None
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def program(self) -> str:
        """The name under which the kernel lists it."""
        return Path(self.command[0]).name[:15]

    @property
    def mark(self) -> str:
        content = repr((self.command, self.network, sorted(self.environment.items()))).encode()
        content += b"".join(file.read_bytes() for file in self.files)
        return f"{paths.CLUSTER}|{self.name}|{hashlib.sha256(content).hexdigest()[:16]}"

    @property
    def log(self) -> Path:
        return paths.LOGS / f"{self.name}.log"


@dataclass(frozen=True)
class RunningProcess:
    """A live process that carries the cluster's mark."""

    pid: int
    program: str
    mark: str

    @property
    def name(self) -> str:
        return self.mark.split("|")[1]


def running() -> list[RunningProcess]:
    """Return every live process of this cluster, children that inherited the mark included."""
    pids = (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit())
    return [process for process in map(_marked, pids) if process and process.mark.startswith(f"{paths.CLUSTER}|")]


def _marked(pid: int) -> RunningProcess | None:
    """Return the process with its mark, or None when it has none, has ended, or is another user's."""
    try:
        variables = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
        program = Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return None
    marks = [variable for variable in variables if variable.startswith(f"{MARK}=".encode())]
    return RunningProcess(pid, program, marks[0].decode().removeprefix(f"{MARK}=")) if marks else None


def session_leaders(among: list[RunningProcess] | None = None) -> list[RunningProcess]:
    """Return the supervised processes themselves, without the children that they forked or started."""
    return [process for process in (running() if among is None else among) if _is_session_leader(process.pid)]


def find(spec: ProcessSpec, among: list[RunningProcess] | None = None) -> RunningProcess | None:
    """Return the running process of a specification, however it was started, or None."""
    for process in session_leaders(among):
        if process.name == spec.name and process.program == spec.program:
            return process
    return None


def _is_session_leader(pid: int) -> bool:
    """Tell whether the process leads a session, as supervised ones do: a fresh fork has the same name and mark."""
    try:
        return os.getsid(pid) == pid
    except ProcessLookupError:
        return False


def start(spec: ProcessSpec, among: list[RunningProcess] | None = None) -> bool:
    """Ensure that a process runs as specified; tell whether it had to be started.

    Returns when the process can be found, or has ended again.

    Args:
        among: what `running()` returned a moment ago, where the caller starts several.
    """
    present = find(spec, among)
    if present and present.mark == spec.mark:
        return False
    if present:
        stop([present])
    paths.LOGS.mkdir(parents=True, exist_ok=True)
    if spec.log.exists() and spec.log.stat().st_size > LOG_BYTES:
        spec.log.rename(spec.log.with_suffix(".log.1"))
    enter = ("nsenter", f"--net=/run/netns/{spec.network}", "--") if spec.network else ()
    with spec.log.open("ab") as log:
        process = subprocess.Popen(
            [*enter, *spec.command],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd="/",
            env={
                "PATH": os.environ.get("PATH", "") + ":/usr/local/sbin:/usr/sbin:/sbin:/usr/bin:/bin",
                "HOME": os.environ.get("HOME", "/root"),
                MARK: spec.mark,
                **spec.environment,
            },
            start_new_session=True,
        )
    _wait_until_found(spec, process)
    return True


def _wait_until_found(spec: ProcessSpec, process: subprocess.Popen[bytes]) -> None:
    """Wait for the kernel to show the mark: `exec` reports success before that, 10 ms and more with a cold disk."""
    while process.poll() is None:
        shown = _marked(process.pid)
        if shown and shown.program == spec.program:
            return
        time.sleep(0.002)


def log_tail(name: str, lines: int = 3) -> str:
    """Return the end of a process's log on one line."""
    log = paths.LOGS / f"{name}.log"
    return " | ".join(log.read_text(errors="replace").splitlines()[-lines:]) if log.exists() else "no log"


def check_alive(spec: ProcessSpec) -> None:
    """Raise LocalError, with the end of its log, when the process has ended."""
    if find(spec) is None:
        raise LocalError(f"{spec.name} ended: {log_tail(spec.name)} (whole log: {spec.log})")


def stop(processes: list[RunningProcess], grace: float = 10.0) -> None:
    """End processes: by TERM, and by KILL what is still there after `grace` seconds."""
    handles = []
    for process in processes:
        try:
            handle = os.pidfd_open(process.pid)
        except ProcessLookupError:
            continue
        # The handle is open: from here on the number can't come to mean another process unnoticed.
        if any(now.pid == process.pid and now.mark == process.mark for now in running()):
            handles.append(handle)
        else:
            os.close(handle)
    try:
        if grace:
            _send(handles, signal.SIGTERM)
            _wait(handles, grace)
        _send(handles, signal.SIGKILL)
        _wait(handles, 30.0)
    finally:
        for handle in handles:
            os.close(handle)


def _wait(handles: list[int], seconds: float) -> None:
    """Return when all have ended (their handles become readable), or when the time is over."""
    until = time.monotonic() + seconds
    for handle in handles:
        select.select([handle], [], [], max(0.0, until - time.monotonic()))


def _send(handles: list[int], number: signal.Signals) -> None:
    for handle in handles:
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(handle, number)
