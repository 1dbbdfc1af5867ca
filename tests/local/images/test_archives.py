"""Image archives that containerd reads."""

from __future__ import annotations

import hashlib
import json
import tarfile
from pathlib import Path
from typing import Any

from tests.local.images.sample import write_archive


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


def test_an_archive_holds_what_was_put_in(tmp_path: Path) -> None:
    manifest, config, members = read(write_archive(tmp_path))
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
    _, config, _ = read(write_archive(tmp_path))
    digest = hashlib.sha256((tmp_path / "layer.tar").read_bytes()).hexdigest()
    assert config["rootfs"]["diff_ids"] == [f"sha256:{digest}"]


def test_the_same_content_makes_the_same_archive(tmp_path: Path) -> None:
    first, second = tmp_path / "one", tmp_path / "two"
    first.mkdir()
    second.mkdir()
    assert read(write_archive(first))[0] == read(write_archive(second))[0]
