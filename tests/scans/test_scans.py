"""Each scan finds what it is for, and says nothing where there is nothing: `make test-scans`."""

from __future__ import annotations

import json
import os
import subprocess
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]


def make(target: str, *variables: str) -> subprocess.CompletedProcess[str]:
    inherited = {name: value for name, value in os.environ.items() if name not in {"MAKEFLAGS", "MAKELEVEL", "MFLAGS"}}
    return subprocess.run(
        ["make", "--silent", target, *variables], cwd=ROOT, capture_output=True, text=True, check=False, env=inherited
    )


def vulnerability(ecosystem: str, package: str, fixed: str) -> dict[str, Any]:
    """An entry in the format of OSV: every version before the fixed one is affected."""
    changes = [{"introduced": "0"}, {"fixed": fixed}]
    affected = {
        "package": {"ecosystem": ecosystem, "name": package},
        "ranges": [{"type": "ECOSYSTEM", "events": changes}],
    }
    return {
        "schema_version": "1.6.0",
        "id": f"TEST-{ecosystem}-{package}",
        "modified": "2026-01-01T00:00:00Z",
        "published": "2026-01-01T00:00:00Z",
        "summary": "Made for a test.",
        "affected": [affected],
    }


def database(folder: Path, *entries: dict[str, Any]) -> str:
    """Write a database of these entries and return the variable that names it."""
    for ecosystem in ("PyPI", "Go", "Debian"):
        place = folder / "osv-scalibr" / ecosystem
        place.mkdir(parents=True)
        with zipfile.ZipFile(place / "all.zip", "w") as archive:
            for entry in entries:
                if entry["affected"][0]["package"]["ecosystem"] == ecosystem:
                    archive.writestr(f"{entry['id']}.json", json.dumps(entry))
    return f"OSV_DATABASE={folder}"


def test_locked_dependencies_without_a_known_vulnerability_pass(tmp_path: Path) -> None:
    done = make("audit", database(tmp_path, vulnerability("PyPI", "flask", "0.1")))
    assert done.returncode == 0, done.stdout + done.stderr
    read = {Path(line.split()[1]).name for line in done.stdout.splitlines() if line.startswith("Scanned ")}
    assert {path.name for path in (ROOT / "requirements").glob("*.txt")} <= read
    assert done.stdout.count("/go.mod file") == len(list(ROOT.glob("local/tools/*/go.mod")))


@pytest.mark.parametrize(
    ("ecosystem", "package", "file"),
    [("PyPI", "flask", "requirements/app.txt"), ("Go", "k8s.io/apimachinery", "local/tools/kubernetes/go.mod")],
)
def test_a_locked_dependency_with_a_known_vulnerability_fails_and_is_named(
    tmp_path: Path, ecosystem: str, package: str, file: str
) -> None:
    done = make("audit", database(tmp_path, vulnerability(ecosystem, package, "99.0.0")))
    assert done.returncode != 0
    assert any(package in line and file in line for line in done.stdout.splitlines()), done.stdout


def test_a_database_that_cannot_be_read_is_no_clean_result(tmp_path: Path) -> None:
    done = make("audit", f"OSV_DATABASE={tmp_path}")
    assert done.returncode != 0


@pytest.fixture
def leak() -> Iterator[Path]:
    """A file that is not committed, with credentials that are nobody's."""
    file = ROOT / "leak_of_a_test.py"
    file.write_text('AWS_KEY = "AKIA' + 'QYLPMN5HHHFPZAM2"\n')
    yield file
    file.unlink()


def test_a_credential_in_a_file_is_found_before_it_is_committed(leak: Path) -> None:
    done = make("scan-secrets")
    assert done.returncode != 0
    assert leak.name in done.stdout + done.stderr
    assert "QYLPMN5HHHFPZAM2" not in done.stdout + done.stderr, "what is found is not shown"


def test_the_repository_and_its_history_hold_no_credential() -> None:
    done = make("scan-secrets")
    assert done.returncode == 0, done.stdout + done.stderr
