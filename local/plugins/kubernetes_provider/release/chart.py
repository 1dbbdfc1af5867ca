"""A chart that lies in a folder: a hash of what helm would package."""

import hashlib
from pathlib import Path

# Editors, tests and version control leave these in a chart's folder; they are no part of it.
_SKIPPED_PARTS = frozenset({".git", "__pycache__", ".DS_Store", ".helmignore"})


def content_hash(folder: Path) -> str:
    """Hash the names and contents of a chart's files: the same content gives the same text on every machine."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        relative = path.relative_to(folder)
        if not path.is_file() or _SKIPPED_PARTS.intersection(relative.parts):
            continue
        content = path.read_bytes()
        digest.update(f"{relative.as_posix()}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()
