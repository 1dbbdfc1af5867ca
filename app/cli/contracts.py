"""`contracts`: write the services' contracts, and compare them with those of another version."""

import io
import json
import subprocess
import sys
import tarfile
from pathlib import Path, PurePosixPath
from typing import Any

from app.cli import fail
from app.cli.contract_changes import incompatible_changes

ROOT = Path(__file__).parents[2]
GLOB = "app/*/contracts/*.json"


class UnreadableError(Exception):
    """Contracts that can't be read; the message is one line."""


def contracts(action: str, old: str = "") -> int:
    """Run an action: `write`, or `compare` with an older version."""
    return write() if action == "write" else compare(old)


def write(root: Path = ROOT) -> int:
    """Write the contracts, and delete files of those that are no more."""
    from app.bootstrap import contracts as current

    wanted = {root / "app" / path: rendered(contract) for path, contract in current.contracts().items()}
    for stale in set(root.glob(GLOB)) - wanted.keys():
        stale.unlink()
    for path, text in wanted.items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    return 0


def compare(old: str, root: Path = ROOT) -> int:
    """Compare the contracts of a checkout with older ones; print each incompatible change.

    Args:
        old: the root of another checkout, or a revision of git.
        root: the checkout.
    """
    try:
        former = _of_directory(Path(old)) if old and Path(old).is_dir() else _of_revision(old, root)
        current = _of_directory(root)
    except UnreadableError as error:
        return fail(str(error), 2)
    if not former:
        sys.stdout.write(f"{old} has no contracts: nothing to compare\n")
        return 0
    changes = list(dict.fromkeys(incompatible_changes(former, current)))
    for change in changes:
        sys.stdout.write(f"{change}\n")
    if changes:
        advice = "only add to a contract, or publish a new version beside the old one"
        return fail(f"{len(changes)} incompatible with {old}: {advice}")
    sys.stdout.write(f"compatible with {old}\n")
    return 0


def rendered(contract: Any) -> str:
    """Return the text of a contract's file."""
    return json.dumps(contract, indent=2, ensure_ascii=False) + "\n"


def _of_directory(root: Path) -> dict[str, Any]:
    return {path.relative_to(root).as_posix(): _parsed(path.read_bytes(), str(path)) for path in root.glob(GLOB)}


def _of_revision(revision: str, root: Path) -> dict[str, Any]:
    commit = _git(root, "rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}")
    if commit is None:
        raise UnreadableError(f"{revision!r} is neither a directory nor a revision of the repository at {root}")
    archive = _git(root, "archive", "--format=tar", commit.decode().strip(), "app")
    if archive is None:
        return {}
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        return {
            member.name: _parsed(file.read(), f"{revision}:{member.name}")
            for member in tar
            if PurePosixPath(member.name).match(GLOB) and (file := tar.extractfile(member))
        }


def _git(root: Path, *arguments: str) -> bytes | None:
    """Return the output of a git command; None if it fails."""
    try:
        ran = subprocess.run(["git", "-C", str(root), *arguments], check=False, capture_output=True)
    except FileNotFoundError:
        raise UnreadableError("git is not installed: name a directory instead of a revision") from None
    return ran.stdout if ran.returncode == 0 else None


def _parsed(text: bytes, name: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise UnreadableError(f"{name}: not JSON ({error})") from None
