"""The application's image: its inputs and its reference."""

from __future__ import annotations

from pathlib import Path

import pytest

from local.errors import LocalError
from local.images import api_image
from tests.local.images.sample import write_archive


def test_an_archive_says_its_reference_and_other_files_are_refused(tmp_path: Path) -> None:
    assert api_image.archive_reference(write_archive(tmp_path)) == "example.org/x:1"
    (tmp_path / "text").write_text("no archive")
    with pytest.raises(LocalError, match="is not an image archive"):
        api_image.archive_reference(tmp_path / "text")


def sources(root: Path) -> Path:
    (root / "app" / "__pycache__").mkdir(parents=True)
    (root / "app" / "main.py").write_text("pass\n")
    (root / "Dockerfile").write_text("FROM scratch\n")
    return root


def test_the_image_is_built_again_when_an_input_changes_and_not_otherwise(tmp_path: Path) -> None:
    root = sources(tmp_path)
    first = api_image.inputs_digest(root, "base-1")
    (root / "README.md").write_text("words")
    (root / "app" / "__pycache__" / "main.pyc").write_text("compiled")
    assert api_image.inputs_digest(root, "base-1") == first
    assert api_image.inputs_digest(root, "base-2") != first
    (root / "app" / "main.py").write_text("raise\n")
    changed = api_image.inputs_digest(root, "base-1")
    (root / "app" / "main.py").rename(root / "app" / "other.py")
    assert len({first, changed, api_image.inputs_digest(root, "base-1")}) == 3


def test_pip_gets_the_settings_of_its_index_and_no_others() -> None:
    listed = (
        ":env:.cert='/etc/ssl/ca.pem'\n:env:.find-links='/opt'\nglobal.cert='/etc/ssl/ca.pem'\ninstall.user='true'\n"
    )
    assert api_image.pip_configuration(listed) == "[global]\ncert = /etc/ssl/ca.pem\n"
