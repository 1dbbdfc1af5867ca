"""Runs of tests against mutants, each in a copy of the repository: the working tree is never touched."""

from __future__ import annotations

import json
import queue
import shutil
import subprocess
import time
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

from tests.mutants.suites import Suite

Stage = tuple[str, tuple[str, ...]]
"""Environment, and arguments of pytest."""

Outcome = Literal["killed", "timeout", "survived", "not run"]

SLOWER, LEAST_SECONDS = 3.0, 30.0
"""A run on a mutant may take this many times what it takes without one, and at least so long in any case."""

PYTEST = ("--exitfirst", "--quiet", "--no-header", "-p", "no:cacheprovider", "--hypothesis-seed=0", "-W", "ignore")

FAILED, INTERRUPTED, INTERNAL_ERROR = 1, 2, 3
"""pytest's exit codes for a killed mutant: a test fails, or the mutant can't even be imported."""


@dataclass(frozen=True)
class Mutant:
    """One changed module.

    Attributes:
        module: path from the root of the repository.
        number: among all mutants of the module.
        original: text of the module.
        source: the same with the change.
        suite: tests that are to kill it.
    """

    module: str
    number: int
    original: str
    source: str
    suite: Suite


@dataclass(frozen=True)
class Result:
    mutant: Mutant
    outcome: Outcome
    seconds: float = 0.0


class BaselineError(Exception):
    """The tests fail without any mutant: nothing can be said about mutants."""


class Copy:
    """A copy of the repository's files, and a fork server in it for each environment that tests run in."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._servers: dict[str, subprocess.Popen[str]] = {}

    @classmethod
    def make(cls, source: Path, root: Path, environments: Path) -> Copy:
        """Copy what git knows of a working tree, changes that are not committed and new files included."""
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=source,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for name in filter(None, listed.split("\0")):
            file = source / name
            if file.is_file() and not file.is_symlink():
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(file, root / name)
        (root / ".venv").symlink_to(environments.resolve())
        return cls(root)

    def __enter__(self) -> Copy:
        return self

    def __exit__(self, *_: object) -> None:
        for server in self._servers.values():
            server.kill()
            server.communicate()

    def time_limit(self, stage: Stage) -> float:
        """Return how many seconds some tests may take, by how long they take without a mutant.

        Raises:
            BaselineError: they fail without one.
        """
        environment, arguments = stage
        self._ask(environment, {"libraries_of": arguments})
        began = time.monotonic()
        if self.test(stage) != 0:
            said = (self.root / "tests.log").read_text()
            raise BaselineError(f"{' '.join(arguments)} fails without a mutant:\n{said}")
        return max(LEAST_SECONDS, SLOWER * (time.monotonic() - began))

    def test(self, stage: Stage, timeout: float | None = None) -> int | None:
        """Return the exit code of pytest; None after the time-out."""
        return self._ask(stage[0], {"arguments": [*PYTEST, *stage[1]], "timeout": timeout})

    def _ask(self, environment: str, request: dict[str, object]) -> int | None:
        server = self._servers.get(environment) or self._start(environment)
        assert server.stdin
        assert server.stdout
        server.stdin.write(json.dumps(request) + "\n")
        server.stdin.flush()
        answer = server.stdout.readline()
        if not answer:
            raise BaselineError(f"the fork server of {environment} has ended: {server.wait()}")
        code: int | None = json.loads(answer)
        return code

    def _start(self, environment: str) -> subprocess.Popen[str]:
        self._servers[environment] = subprocess.Popen(
            [str(self.root / ".venv" / environment / "bin" / "python"), "-m", "tests.mutants.fork_server"],
            cwd=self.root,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        return self._servers[environment]

    def judge(self, mutant: Mutant, limits: Mapping[Stage, float]) -> Result:
        """Put a mutant in place, run its tests until some notice it, and put the module back."""
        file, began = self.root / mutant.module, time.monotonic()
        file.write_text(mutant.source)
        became: Outcome = "survived"
        try:
            for stage in stages(mutant.suite):
                became = outcome(self.test(stage, limits[stage]))
                if became != "survived":
                    break
        finally:
            file.write_text(mutant.original)
        return Result(mutant, became, time.monotonic() - began)


def stages(suite: Suite) -> list[Stage]:
    return [(suite.environment, arguments) for arguments in suite.stages]


def outcome(code: int | None) -> Outcome:
    """Say what an exit code of pytest means for a mutant.

    Raises:
        BaselineError: pytest did not run the tests at all.
    """
    if code is None:
        return "timeout"
    if code == 0:
        return "survived"
    if code in (FAILED, INTERRUPTED, INTERNAL_ERROR) or code < 0:
        return "killed"
    raise BaselineError(f"pytest ended with {code}")


def run(mutants: Iterable[Mutant], copies: list[Copy], deadline: float) -> Iterator[Result]:
    """Judge mutants, as many at a time as there are copies.

    Args:
        mutants: each is "not run" when its turn comes after the deadline.
        copies: of the repository.
        deadline: as of time.monotonic().

    Raises:
        BaselineError: the tests fail in a copy without any mutant.
    """
    mutants = list(mutants)
    free: queue.SimpleQueue[Copy] = queue.SimpleQueue()
    for copy in copies:
        free.put(copy)
    needed = dict.fromkeys(stage for mutant in mutants for stage in stages(mutant.suite))

    def judge(mutant: Mutant) -> Result:
        if time.monotonic() > deadline:
            return Result(mutant, "not run")
        copy = free.get()
        try:
            return copy.judge(mutant, limits)
        finally:
            free.put(copy)

    with ThreadPoolExecutor(len(copies)) as pool:
        try:
            # In each copy: one in which the tests fail by themselves would kill every mutant.
            limits = {stage: max(pool.map(partial(Copy.time_limit, stage=stage), copies)) for stage in needed}
            for done in as_completed([pool.submit(judge, mutant) for mutant in mutants]):
                yield done.result()
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
