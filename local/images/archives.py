"""Image archives in the format of `docker save`, written from files without a builder or a store."""

from __future__ import annotations

import hashlib
import io
import json
import platform
import tarfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

EPOCH = "1970-01-01T00:00:00Z"


@dataclass(frozen=True)
class Entry:
    """One file or link of a layer.

    Attributes:
        path: where it is in the image, without a leading slash.
        source: a file whose content it has; or `text`, or `link`, the target of a symbolic link.
        mode, owner: permission bits; user and group id.
    """

    path: str
    source: Path | None = None
    text: str = ""
    link: str | None = None
    mode: int = 0o755
    owner: int = 0
    directory: bool = False


@dataclass(frozen=True)
class ImageConfig:
    """How a container of the image starts."""

    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    user: str = "0:0"
    environment: dict[str, str] = field(default_factory=dict)
    directory: str = "/"

    def document(self, layers: list[str]) -> bytes:
        variables = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", **self.environment}
        config = {
            "User": self.user,
            "Env": [f"{name}={value}" for name, value in variables.items()],
            "Entrypoint": list(self.entrypoint),
            "Cmd": list(self.command),
            "WorkingDir": self.directory,
        }
        return json.dumps(
            {
                "architecture": architecture(),
                "os": "linux",
                "created": EPOCH,
                "config": config,
                "rootfs": {"type": "layers", "diff_ids": [f"sha256:{layer}" for layer in layers]},
                "history": [{"created": EPOCH} for _ in layers],
            }
        ).encode()


def architecture() -> str:
    """Return this machine's architecture by Go's name for it, which images use."""
    return {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())


def layer(entries: Iterable[Entry], target: Path) -> None:
    """Write a layer: a tar file, the same for the same content."""
    with tarfile.open(target, "w", format=tarfile.PAX_FORMAT) as tar:
        for entry in entries:
            member = tarfile.TarInfo(entry.path)
            member.mode, member.uid, member.gid = entry.mode, entry.owner, entry.owner
            if entry.directory:
                member.type = tarfile.DIRTYPE
                tar.addfile(member)
            elif entry.link is not None:
                member.type, member.linkname = tarfile.SYMTYPE, entry.link
                tar.addfile(member)
            elif entry.source is not None:
                member.size = entry.source.stat().st_size
                with entry.source.open("rb") as content:
                    tar.addfile(member, content)
            else:
                member.size = len(entry.text.encode())
                tar.addfile(member, io.BytesIO(entry.text.encode()))


def digest(file: Path) -> str:
    """Return the SHA-256 of a file in hex."""
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def image(reference: str, layers: list[Path], config: ImageConfig, target: Path) -> None:
    """Write the archive of an image.

    Args:
        reference: its whole name, registry and tag included.
        layers: tar files, the lowest first.
        target: the archive; it appears whole or not at all.
    """
    digests = [digest(file) for file in layers]
    document = config.document(digests)
    name = f"{hashlib.sha256(document).hexdigest()}.json"
    names = [f"{content}.tar" for content in digests]
    manifest = json.dumps([{"Config": name, "RepoTags": [reference], "Layers": names}]).encode()
    scratch = target.with_name(f".{target.name}.new")
    with tarfile.open(scratch, "w") as tar:
        for file, inner in zip(layers, names, strict=True):
            tar.add(file, inner)
        for inner, content in ((name, document), ("manifest.json", manifest)):
            member = tarfile.TarInfo(inner)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    scratch.rename(target)
