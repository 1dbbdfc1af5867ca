"""Archives that containerd reads, and when the application's image is built again."""

from __future__ import annotations

import hashlib
import json
import tarfile
from pathlib import Path
from typing import Any

import pytest

from local import api_image, archives
from local.archives import Entry, ImageConfig
from local.errors import LocalError


def read(archive: Path) -> tuple[dict[str, Any], dict[str, Any], list[tarfile.TarInfo]]:
    """Return an archive's manifest, its configuration and the members of its only layer."""
    with tarfile.open(archive) as tar:

        def content(name: str) -> bytes:
            file = tar.extractfile(name)
            assert file is not None
            return file.read()

        manifest = json.loads(content("manifest.json"))[0]
        config = json.loads(content(manifest["Config"]))
        layer = tar.extractfile(manifest["Layers"][0])
        assert layer is not None
        with tarfile.open(fileobj=layer) as inner:
            return manifest, config, inner.getmembers()


def make(directory: Path, name: str = "a.tar") -> Path:
    program = directory / "program"
    program.write_text("#!/bin/sh\n")
    layer, target = directory / "layer.tar", directory / name
    archives.layer(
        [
            Entry("data", directory=True, owner=999),
            Entry("bin/program", program),
            Entry("sh", link="bin/program"),
            Entry("etc/motd", text="hello", mode=0o644),
        ],
        layer,
    )
    archives.image("example.org/x:1", [layer], ImageConfig(("/bin/program",), user="999:999"), target)
    return target


def test_an_archive_holds_what_was_put_in(tmp_path: Path) -> None:
    manifest, config, members = read(make(tmp_path))
    assert manifest["RepoTags"] == ["example.org/x:1"]
    assert config["config"]["Entrypoint"] == ["/bin/program"]
    assert config["config"]["User"] == "999:999"
    by_name = {member.name: member for member in members}
    assert by_name["data"].isdir()
    assert by_name["data"].uid == 999
    assert by_name["bin/program"].mode == 0o755
    assert by_name["sh"].linkname == "bin/program"
    assert by_name["etc/motd"].size == 5


def test_layers_are_named_by_their_content(tmp_path: Path) -> None:
    _, config, _ = read(make(tmp_path))
    digest = hashlib.sha256((tmp_path / "layer.tar").read_bytes()).hexdigest()
    assert config["rootfs"]["diff_ids"] == [f"sha256:{digest}"]


def test_the_same_content_makes_the_same_archive(tmp_path: Path) -> None:
    first, second = tmp_path / "one", tmp_path / "two"
    first.mkdir()
    second.mkdir()
    assert read(make(first))[0] == read(make(second))[0]


def test_an_archive_says_its_reference_and_other_files_are_refused(tmp_path: Path) -> None:
    assert api_image.archive_reference(make(tmp_path)) == "example.org/x:1"
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


def test_pip_is_told_how_to_reach_its_index_and_nothing_else() -> None:
    listed = (
        ":env:.cert='/etc/ssl/ca.pem'\n:env:.find-links='/opt'\nglobal.cert='/etc/ssl/ca.pem'\ninstall.user='true'\n"
    )
    assert api_image.pip_configuration(listed) == "[global]\ncert = /etc/ssl/ca.pem\n"
