"""Runs of the platform's program that many tests look at."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.platform import engine
from tests.platform.engine import Platform


@pytest.fixture(autouse=True, scope="session")
def credentials() -> Iterator[None]:
    """Set credentials that open nothing, and find no home with others."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in engine.CREDENTIALS.items():
            patch.setenv(name, value)
        patch.delenv("AWS_PROFILE", raising=False)
        patch.setattr(Path, "home", lambda: Path("/nonexistent"))
        yield


@pytest.fixture(scope="session")
def digitalocean(credentials: None) -> Platform:
    """The example stack `digitalocean`."""
    del credentials
    return engine.run(engine.stack_file("digitalocean"), "digitalocean")


@pytest.fixture(scope="session")
def aws(credentials: None) -> Platform:
    """The example stack `aws`."""
    del credentials
    return engine.run(engine.stack_file("aws"), "aws")


@pytest.fixture(scope="session")
def vps(credentials: None) -> Platform:
    """The example stack `vps`."""
    del credentials
    return engine.run(engine.stack_file("vps"), "vps")
