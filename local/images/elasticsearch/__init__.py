"""Files of Elasticsearch, laid as in its official image, from the jars that Maven has of it."""

from __future__ import annotations

import hashlib
import tempfile
import zipfile
from pathlib import Path

from local import paths
from local.host import files, packages
from local.host.commands import run
from local.images.archives import Entry
from local.tools import maven

VERSION = "7.17.29"
HOME = "usr/share/elasticsearch"
SOURCES = Path(__file__).parent
DATA_STREAMS = SOURCES / "DataStreams.java"
USER = 1000

# Each module's class, and what it may do beyond the server, which the jars say nothing of.
MODULES = {
    "transport-netty4": (
        "org.elasticsearch.transport.Netty4Plugin",
        (
            'java.net.SocketPermission "*", "accept,connect"',
            'java.util.PropertyPermission "sun.nio.ch.bugLevel", "write"',
        ),
    ),
    # For the license that Filebeat asks for.
    "x-pack-core": (
        "org.elasticsearch.xpack.core.XPackPlugin",
        (
            'java.lang.RuntimePermission "getClassLoader"',
            'java.lang.RuntimePermission "setContextClassLoader"',
            'java.util.PropertyPermission "*", "read,write"',
        ),
    ),
    "data-streams": ("primetrade.DataStreams", ()),
}


def entries() -> list[Entry]:
    """Return the files; Maven's jars are brought, and our module is compiled, unless the cache holds them."""
    jars = maven.install(paths.ELASTICSEARCH_JARS)
    found = [Entry(f"{HOME}/{jar.relative_to(jars)}", jar, mode=0o644) for jar in sorted(jars.rglob("*.jar"))]
    found.append(Entry(f"{HOME}/modules/data-streams/data-streams.jar", data_streams(jars / "lib"), mode=0o644))
    for name, (plugin, permissions) in MODULES.items():
        folder = f"{HOME}/modules/{name}"
        found.append(Entry(f"{folder}/plugin-descriptor.properties", text=descriptor(name, plugin), mode=0o644))
        found.append(Entry(f"{folder}/plugin-security.policy", text=policy(permissions), mode=0o644))
    # The server asks for all of these. The second two are written to.
    found += [Entry(f"{HOME}/{name}", directory=True) for name in ("bin", "plugins")]
    found += [Entry(f"{HOME}/{name}", directory=True, mode=0o775, owner=USER) for name in ("data", "logs")]
    for name in ("elasticsearch.yml", "log4j2.properties"):
        found.append(Entry(f"{HOME}/config/{name}", text=(SOURCES / name).read_text(), mode=0o644))
    found.append(Entry(f"{HOME}/bin/elasticsearch", text=(SOURCES / "elasticsearch.sh").read_text()))
    return found


def descriptor(name: str, plugin: str) -> str:
    """Return what Elasticsearch reads of a module."""
    values = {
        "name": name,
        "description": name,
        "version": VERSION,
        "elasticsearch.version": VERSION,
        "java.version": "1.8",
        "classname": plugin,
        "extended.plugins": "",
        "has.native.controller": "false",
    }
    return "".join(f"{key}={value}\n" for key, value in values.items())


def policy(permissions: tuple[str, ...]) -> str:
    """Return the policy of a module for Java's security manager."""
    return "grant {\n" + "".join(f"  permission {permission};\n" for permission in permissions) + "};\n"


def data_streams(libraries: Path) -> Path:
    """Compile our module against Elasticsearch's jars unless the cache holds it; return its jar.

    Raises:
        LocalError: the compiler's message.
    """
    content = DATA_STREAMS.read_bytes() + libraries.parent.name.encode()
    target = paths.BINARIES / f"data-streams-{hashlib.sha256(content).hexdigest()[:12]}.jar"
    if target.exists():
        return target
    if missing := packages.missing_for_java():
        packages.install(missing)
    with tempfile.TemporaryDirectory(dir=paths.BINARIES, prefix=".data-streams-") as scratch:
        classes, jar = Path(scratch) / "classes", Path(scratch) / "module.jar"
        run("javac", "--release", "17", "-proc:none", "-cp", f"{libraries}/*", "-d", classes, DATA_STREAMS)
        with zipfile.ZipFile(jar, "w") as archive:
            for file in sorted(classes.rglob("*.class")):
                archive.write(file, file.relative_to(classes))
        jar.rename(target)
    files.remove_former(target, "data-streams")
    return target
