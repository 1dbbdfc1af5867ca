"""Which tests are to kill the mutants of which module."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Suite:
    """Tests of some modules.

    Attributes:
        of: glob of the modules, from the root of the repository.
        environment: folder of `.venv` that the tests run in.
        stages: arguments of pytest, of each of its runs: the quick tests first, the others for what survives those.
    """

    of: str
    environment: str
    stages: tuple[tuple[str, ...], ...]


ON_SQLITE, ON_POSTGRESQL = ("-k", "not postgresql"), ("-k", "postgresql")
"""Of tests that run once with each database, one half. SQLite is quicker; locks and order show on PostgreSQL."""

SUITES = (
    Suite(
        "app/auth/service.py",
        "app",
        (
            ("tests/unit/auth/test_auth_service.py",),
            ("tests/integration/auth/test_account.py", "tests/integration/auth/test_auth.py", *ON_SQLITE),
        ),
    ),
    Suite(
        "app/tasks/service.py",
        "app",
        (
            ("tests/unit/tasks/test_task_service.py",),
            ("tests/integration/tasks/test_tasks.py", "tests/integration/tasks/test_task_bulk.py", *ON_SQLITE),
        ),
    ),
    Suite(
        "app/notifications/service.py",
        "app",
        (
            ("tests/unit/notifications/test_notification_service.py",),
            ("tests/integration/notifications/test_notifications.py", *ON_SQLITE),
        ),
    ),
    Suite(
        "app/core/jobs/service.py",
        "app",
        (
            ("tests/integration/core/jobs/test_job_service.py", *ON_SQLITE),
            (
                "tests/integration/core/jobs/test_job_service.py",
                "tests/integration/tasks/test_imports.py",
                *ON_POSTGRESQL,
            ),
        ),
    ),
    Suite(
        "infra/**/*.py",
        "infra",
        (
            ("tests/infra/config", "tests/infra/test_snapshots.py"),
            ("tests/infra", "--ignore", "tests/infra/test_snapshots.py"),
        ),
    ),
)


def modules(of: Iterable[str]) -> Iterator[tuple[str, Suite]]:
    """Yield each module below some paths that a suite is for, in order, with that suite.

    Args:
        of: files and folders, from the root of the repository.

    Raises:
        LookupError: no suite is for anything there.
    """
    suite_of = {str(file.relative_to(ROOT)): suite for suite in SUITES for file in ROOT.glob(suite.of)}
    for path in of:
        place = Path(path)
        found = [module for module in sorted(suite_of) if place in (Path(module), *Path(module).parents)]
        if not found:
            raise LookupError(f"no tests are known for {path}: see tests/mutants/suites.py")
        yield from ((module, suite_of[module]) for module in found)
