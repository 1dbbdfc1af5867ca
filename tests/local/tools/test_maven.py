"""Jars by a lock file: what it says, and what is refused."""

from __future__ import annotations

import hashlib
from pathlib import Path
from xml.etree import ElementTree

import pytest

from local import paths
from local.errors import LocalError
from local.host import packages
from local.tools import maven

JAR = b"a jar"
LOCK = f"""# A comment.
lib org.example:one:1.0 sha256:{hashlib.sha256(JAR).hexdigest()}
modules/two org.example:two:2.0 sha256:{hashlib.sha256(JAR).hexdigest()}
"""


@pytest.fixture
def lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A lock file, and a Maven that brings what it names."""
    monkeypatch.setattr(paths, "BINARIES", tmp_path / "bin")
    monkeypatch.setattr(packages, "missing_for_java", list)

    def mvn(*command: str) -> str:
        [project] = [word.removeprefix("--file=") for word in command if word.startswith("--file=")]
        [target] = [Path(word.partition("=")[2]) for word in command if word.startswith("-DoutputDirectory=")]
        target.mkdir()
        tree = ElementTree.fromstring(Path(project).read_text())  # noqa: S314 - our own
        names = {"m": maven.NAMESPACE}
        for dependency in tree.findall(".//m:dependency", names):
            words = [dependency.findtext(f"m:{tag}", namespaces=names) for tag in ("artifactId", "version")]
            (target / f"{'-'.join(map(str, words))}.jar").write_bytes(JAR)
        return ""

    monkeypatch.setattr(maven, "run", mvn)
    file = tmp_path / "server.txt"
    file.write_text(LOCK)
    return file


def test_jars_are_laid_in_their_folders_once(lock: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    directory = maven.install(lock)
    found = sorted(str(jar.relative_to(directory)) for jar in directory.rglob("*.jar"))
    assert found == ["lib/one-1.0.jar", "modules/two/two-2.0.jar"]
    monkeypatch.setattr(maven, "run", lambda *_: pytest.fail("Maven is asked again"))
    assert maven.install(lock) == directory


def test_a_jar_with_another_digest_is_refused_and_leaves_nothing(lock: Path) -> None:
    lock.write_text(LOCK.replace("sha256:", "sha256:0", 1))
    with pytest.raises(LocalError, match=r"org\.example:one:1\.0 has the digest sha256:.* and the lock sha256:0"):
        maven.install(lock)
    assert list(paths.BINARIES.iterdir()) == []


@pytest.mark.parametrize(
    "line",
    [
        "lib",
        "org.example:one:1.0 sha256:00",
        "lib org.example:one sha256:00",
        "lib org.example:one:1.0 md5:00",
        "lib org.example:one:1.0 sha256:00 sha256:01",
    ],
)
def test_a_line_that_pins_nothing_is_refused(line: str) -> None:
    with pytest.raises(LocalError, match=f"in a lock of jars: {line}"):
        maven.artifacts(line)


def test_a_jar_brings_none_that_it_depends_on() -> None:
    tree = ElementTree.fromstring(maven.pom(maven.artifacts(LOCK)))  # noqa: S314 - our own
    names = {"m": maven.NAMESPACE}
    for dependency in tree.findall(".//m:dependency", names):
        excluded = dependency.find("m:exclusions/m:exclusion", names)
        assert excluded is not None
        assert [child.text for child in excluded] == ["*", "*"]
