"""Jars from Maven's central repository, with checked hashes."""

from __future__ import annotations

import hashlib
import tempfile
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from local import paths
from local.errors import LocalError
from local.host import files, packages
from local.host.commands import run

# The one that Maven itself would take, by its name: another Maven would take another.
PLUGIN = "org.apache.maven.plugins:maven-dependency-plugin:2.8:copy-dependencies"
NAMESPACE = "http://maven.apache.org/POM/4.0.0"


@dataclass(frozen=True)
class Artifact:
    """A jar of a lock file.

    Attributes:
        folder: where it is laid.
        coordinates: group, name and version, with colons.
        sha256: its digest in hex.
    """

    folder: str
    coordinates: str
    sha256: str

    @property
    def file_name(self) -> str:
        _, name, version = self.coordinates.split(":")
        return f"{name}-{version}.jar"


def artifacts(lock: str) -> list[Artifact]:
    """Return the jars of a lock file.

    Raises:
        LocalError: a line is not a folder, coordinates and a digest.
    """
    found = []
    for line in lock.splitlines():
        if line and not line.startswith("#"):
            words = line.split()
            if len(words) != 3 or words[1].count(":") != 2 or not words[2].startswith("sha256:"):
                raise LocalError(f"no folder, group:name:version and sha256:digest in a lock of jars: {line}")
            found.append(Artifact(words[0], words[1], words[2].removeprefix("sha256:")))
    return found


def install(lock: Path) -> Path:
    """Bring the jars of a lock file unless the cache holds them; return the directory of their folders.

    Raises:
        LocalError: Maven's message, or a digest that differs.
    """
    text = lock.read_text()
    directory = paths.BINARIES / f"{lock.stem}-{hashlib.sha256(text.encode()).hexdigest()[:12]}"
    if directory.is_dir():
        return directory
    wanted = artifacts(text)
    if missing := packages.missing_for_java():
        packages.install(missing)
    paths.BINARIES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=paths.BINARIES, prefix=f".{lock.stem}-") as scratch:
        project, jars, target = (Path(scratch) / name for name in ("pom.xml", "jars", "out"))
        project.write_text(pom(wanted))
        run("mvn", "--batch-mode", "--quiet", f"--file={project}", PLUGIN, f"-DoutputDirectory={jars}")
        for artifact in wanted:
            lay(jars / artifact.file_name, artifact, target)
        files.place(target, directory)
    files.remove_former(directory, lock.stem)
    return directory


def lay(jar: Path, artifact: Artifact, target: Path) -> None:
    """Move a jar to its folder.

    Raises:
        LocalError: its digest is another than the lock's.
    """
    if (found := hashlib.sha256(jar.read_bytes()).hexdigest()) != artifact.sha256:
        raise LocalError(f"{artifact.coordinates} has the digest sha256:{found}, and the lock sha256:{artifact.sha256}")
    (target / artifact.folder).mkdir(parents=True, exist_ok=True)
    jar.rename(target / artifact.folder / jar.name)


def pom(wanted: list[Artifact]) -> str:
    """Return a project that depends on these jars, and on none that they depend on."""
    project = ElementTree.Element("project", xmlns=NAMESPACE)
    _texts(project, modelVersion="4.0.0", groupId="local", artifactId="jars", version="1")
    dependencies = ElementTree.SubElement(project, "dependencies")
    for artifact in wanted:
        group, name, version = artifact.coordinates.split(":")
        dependency = ElementTree.SubElement(dependencies, "dependency")
        _texts(dependency, groupId=group, artifactId=name, version=version)
        exclusions = ElementTree.SubElement(dependency, "exclusions")
        _texts(ElementTree.SubElement(exclusions, "exclusion"), groupId="*", artifactId="*")
    return ElementTree.tostring(project, encoding="unicode")


def _texts(parent: ElementTree.Element, **texts: str) -> None:
    for tag, text in texts.items():
        ElementTree.SubElement(parent, tag).text = text
