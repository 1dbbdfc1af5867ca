"""The application's image: built from the Dockerfile by buildah, cached by a digest of its inputs."""

from __future__ import annotations

import hashlib
import json
import os
import sys
import tarfile
import tempfile
import tomllib
from dataclasses import dataclass
from pathlib import Path

from local import paths
from local.errors import LocalError
from local.host.commands import run, succeeds
from local.host.mounts import is_on_overlay
from local.images import catalogue

REPOSITORY = "ghcr.io/primetrade/task-manager"
CERTIFICATES = Path("/etc/ssl/certs")
BUILT = paths.IMAGES / "built"
KEPT_ARCHIVES = 6
# The settings by which pip reaches a package index; no others go into the build.
PIP_SETTINGS = ("index-url", "extra-index-url", "trusted-host", "proxy", "cert", "timeout", "retries")


@dataclass(frozen=True)
class BuiltImage:
    """An image on disk: its reference and its archive."""

    reference: str
    archive: Path


def buildah(*arguments: str | Path) -> str:
    """Run buildah on a store of our own, which the cache holds."""
    # Layers can't be laid over each other in place where the cache itself is such a file system.
    driver = "vfs" if is_on_overlay(paths.CACHE) else "overlay"
    store = (f"--root={paths.BUILD_STORE / 'store'}", f"--runroot={paths.BUILD_STORE / 'run'}")
    # Its networks are not used here; the directory for them is to be made in the cache all the same.
    networks = {"CONTAINERS_CONF": str(container_settings())}
    return run("buildah", *store, f"--storage-driver={driver}", *arguments, env=networks)


def container_settings() -> Path:
    """Write buildah's settings, in place of the machine's, and return the file."""
    file = paths.BUILD_STORE / "containers.conf"
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f'[network]\nnetwork_config_dir = "{paths.BUILD_STORE / "networks"}"\n')
    return file


def inputs(root: Path) -> list[Path]:
    """Return the files that the image is made of, in a fixed order."""
    code = [file for file in (root / "app").rglob("*") if file.is_file() and "__pycache__" not in file.parts]
    named = [root / name for name in ("Dockerfile", ".dockerignore", "requirements/app.txt", "pyproject.toml")]
    return sorted([*code, *(file for file in named if file.exists())])


def inputs_digest(root: Path, base: str) -> str:
    """Return sixteen hex digits over names and contents of the inputs and the name of the base image's archive."""
    content = hashlib.sha256(base.encode())
    for file in inputs(root):
        content.update(f"\0{file.relative_to(root)}\0{file.stat().st_mode & 0o111:o}\0".encode())
        content.update(file.read_bytes())
    return content.hexdigest()[:16]


def pip_configuration(listed: str) -> str:
    """Return a pip.conf with the settings that reach an index, from what `pip config list` printed."""
    lines = []
    for line in listed.splitlines():
        name, _, value = line.partition("=")
        setting = name.rpartition(".")[2]
        if setting in PIP_SETTINGS:
            lines.append(f"{setting} = {value.strip(chr(39))}")
    return "\n".join(["[global]", *dict.fromkeys(lines), ""])


def build(base: Path) -> BuiltImage:
    """Build the application's image unless its inputs are those of one that is there.

    Args:
        base: archive of the base image.

    Raises:
        LocalError: buildah's last words.
    """
    record = BUILT / f"{inputs_digest(paths.ROOT, base.name)}.json"
    if record.exists():
        known = json.loads(record.read_text())
        if Path(known["archive"]).exists():
            return BuiltImage(known["reference"], Path(known["archive"]))
    BUILT.mkdir(parents=True, exist_ok=True)
    if not in_build_store(catalogue.BASE_IMAGE):
        buildah("pull", "--quiet", f"docker-archive:{base}")
    project = tomllib.loads((paths.ROOT / "pyproject.toml").read_text())["project"]
    with tempfile.TemporaryDirectory(prefix="primetrade-") as scratch:
        settings = Path(scratch) / "pip.conf"
        settings.write_text(pip_configuration(run(sys.executable, "-m", "pip", "config", "list")))
        mounts = [f"--volume={settings}:/etc/pip.conf:ro"]
        if CERTIFICATES.is_dir():
            mounts.append(f"--volume={CERTIFICATES}:{CERTIFICATES}:ro")
        arguments = (f"BASE_IMAGE={catalogue.BASE_IMAGE}", f"VERSION={project['version']}")
        built = _build(paths.ROOT / "Dockerfile", paths.ROOT, arguments, mounts)
    record.write_text(json.dumps({"reference": built.reference, "archive": str(built.archive)}))
    _prune_archives()
    return built


def derive(base: str, dockerfile: str) -> BuiltImage:
    """Build an image from a Dockerfile's text on top of one built before.

    Raises:
        LocalError: the base is not there, or buildah's last words.
    """
    if not in_build_store(base):
        raise LocalError(f"image {base} is not in the build store: `python -m local load-image --build` makes it")
    BUILT.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="primetrade-") as scratch:
        file = Path(scratch) / "Dockerfile"
        file.write_text(dockerfile)
        return _build(file, Path(scratch), (), [])


def _build(dockerfile: Path, context: Path, arguments: tuple[str, ...], mounts: list[str]) -> BuiltImage:
    with tempfile.TemporaryDirectory(prefix="primetrade-") as scratch:
        identity = Path(scratch) / "id"
        options = ["--isolation=chroot", "--layers", "--quiet", "--pull-never", "--format=docker"]
        options += [f"--build-arg={argument}" for argument in arguments] + mounts
        buildah("bud", *options, f"--iidfile={identity}", f"--file={dockerfile}", context)
        digest = identity.read_text().strip().removeprefix("sha256:")
    reference = f"{REPOSITORY}:local-{digest[:12]}"
    buildah("tag", digest, reference)
    archive = BUILT / f"{digest[:12]}.tar"
    if not archive.exists():
        fresh = archive.with_suffix(".new")
        fresh.unlink(missing_ok=True)
        buildah("push", "--quiet", digest, f"docker-archive:{fresh}:{reference}")
        fresh.rename(archive)
    return BuiltImage(reference, archive)


def in_build_store(reference: str) -> bool:
    """Tell whether the build store holds an image."""
    try:
        return bool(buildah("images", "--quiet", reference).strip())
    except LocalError:
        return False


def find(reference: str) -> BuiltImage:
    """Return the image of that reference: an archive file, one of the build store, or one of Docker's.

    Raises:
        LocalError: it is in none of them.
    """
    if Path(reference).is_file():
        return BuiltImage(archive_reference(Path(reference)), Path(reference))
    BUILT.mkdir(parents=True, exist_ok=True)
    archive = BUILT / f"loaded-{hashlib.sha256(reference.encode()).hexdigest()[:12]}.tar"
    archive.unlink(missing_ok=True)
    if in_build_store(reference):
        buildah("push", "--quiet", reference, f"docker-archive:{archive}:{reference}")
    elif succeeds("docker", "image", "inspect", reference):
        run("docker", "save", "--output", archive, reference)
    else:
        raise LocalError(
            f"image {reference} is not on this machine: build it (`load-image --build`), or name an archive of it"
        )
    return BuiltImage(reference, archive)


def archive_reference(archive: Path) -> str:
    """Return the first name that an image archive carries.

    Raises:
        LocalError: the file is no image archive, or its image has no name.
    """
    try:
        with tarfile.open(archive) as tar:
            manifest = tar.extractfile("manifest.json")
            names = json.loads(manifest.read())[0]["RepoTags"] if manifest else None
    except (tarfile.TarError, KeyError, ValueError, OSError) as error:
        raise LocalError(
            f"{archive} is not an image archive (`docker save` or `buildah push docker-archive:`)"
        ) from error
    if not names:
        raise LocalError(f"the image in {archive} has no name: save it by its name, not by its digest")
    return str(names[0])


def _prune_archives() -> None:
    """Keep the newest few archives: each is as large as the image."""
    archives = sorted(BUILT.glob("*.tar"), key=os.path.getmtime, reverse=True)
    for archive in archives[KEPT_ARCHIVES:]:
        archive.unlink(missing_ok=True)
