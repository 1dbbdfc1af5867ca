"""Brings the system up, once a session, by the command that the README gives."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.account import Account
from tests.e2e.system import ROOT, System, run


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--phase", type=int, default=1, help="the phase whose stack is tested")
    parser.addoption("--bare", action="store_true", help="test the platform, on a bare cluster")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "phases(*numbers): the phases in which the test makes sense; all by default")
    config.addinivalue_line("markers", "bare: brings a bare cluster up and takes it down: runs alone")
    config.addinivalue_line("markers", "first: brings the system up itself, so it runs before all others")
    config.addinivalue_line("markers", "late: leaves the stack another than it was, so it runs after most others")
    config.addinivalue_line("markers", "last: takes the system apart, so it runs after all others")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    phase = config.getoption("--phase")

    def applies(item: pytest.Item) -> bool:
        if bool(item.get_closest_marker("bare")) != config.getoption("--bare"):
            return False
        marker = item.get_closest_marker("phases")
        return marker is None or phase in marker.args

    config.hook.pytest_deselected(items=[item for item in items if not applies(item)])
    items[:] = sorted(filter(applies, items), key=priority)


def priority(item: pytest.Item) -> int:
    """Return when a test runs: those marked as first, the most, those marked as last."""
    priorities = {"first": -1, "late": 1, "last": 2}
    return next((found for marker, found in priorities.items() if item.get_closest_marker(marker)), 0)


@pytest.fixture(scope="session")
def phase(request: pytest.FixtureRequest) -> int:
    number: int = request.config.getoption("--phase")
    return number


@pytest.fixture(scope="session")
def system(phase: int) -> System:
    """The stack of the phase, up. It stays up: `make down` is the user's, and a test's at the very end."""
    run("make", "up", f"PHASE={phase}", timeout=3000).ok()
    return System(phase, run("make", "--silent", "url", f"PHASE={phase}").ok().strip())


@pytest.fixture
def account(system: System) -> Iterator[Account]:
    with Account.create(system.api) as account:
        yield account


@pytest.fixture(scope="session")
def artefacts(phase: int) -> Path:
    """Where pictures and figures of the run are kept."""
    directory = ROOT / ".cache" / "e2e" / f"phase{phase}"
    directory.mkdir(parents=True, exist_ok=True)
    return directory
