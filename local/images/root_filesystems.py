"""Layers of Debian packages, cached by a digest of their contents' description."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from local import paths
from local.host import files
from local.host.commands import run

LAYERS = paths.IMAGES / "layers"
UNPACKED = paths.CACHE / "roots"
EXCLUDED_DIRECTORIES = ("doc", "man", "info", "locale", "lintian")
MEMORY_DISK = Path("/dev/shm")  # noqa: S108 - mmdebstrap makes a directory of its own there
MEMORY_DISK_BYTES = 2_000_000_000


@dataclass(frozen=True)
class RootFilesystem:
    """A Debian root file system.

    Attributes:
        suite: Debian release.
        packages: what is installed beside the essential packages.
        hooks: shell commands run before the packages are configured; the root is `$1`.
    """

    name: str
    suite: str
    packages: tuple[str, ...]
    hooks: tuple[str, ...] = ()

    @property
    def layer(self) -> Path:
        digest = hashlib.sha256(repr((self, EXCLUDED_DIRECTORIES)).encode()).hexdigest()[:12]
        return LAYERS / f"{self.name}-{digest}.tar"

    @property
    def unpacked(self) -> Path:
        """Where `unpack` leaves the files."""
        return UNPACKED / self.layer.stem

    def unpack(self) -> Path:
        """Unpack the layer unless the cache holds its files; return their directory. They belong to whoever runs this.

        Raises:
            LocalError: as for `build`.
        """
        if self.unpacked.is_dir():
            return self.unpacked
        layer = self.build()
        UNPACKED.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=UNPACKED, prefix=".") as scratch:
            target = Path(scratch) / "root"
            target.mkdir()
            run("tar", "--extract", "--no-same-owner", f"--directory={target}", f"--file={layer}")
            (target / "dev").mkdir(exist_ok=True)  # left out of the layer: it is mounted
            files.place(target, self.unpacked)
        files.remove_former(self.unpacked, self.name)
        return self.unpacked

    def build(self) -> Path:
        """Make the layer unless the cache holds it; return it.

        Raises:
            LocalError: mmdebstrap's message, when a package can't be had for instance.
        """
        if self.layer.exists():
            return self.layer
        LAYERS.mkdir(parents=True, exist_ok=True)
        scratch = self.layer.with_suffix(".new.tar")
        options = [f"--dpkgopt=path-exclude=/usr/share/{name}/*" for name in EXCLUDED_DIRECTORIES]
        options += [f"--essential-hook={hook}" for hook in self.hooks]
        options += ["--variant=essential", "--skip=output/dev", f"--include={','.join(self.packages)}"]
        with tempfile.TemporaryDirectory(dir=working_directory(), prefix="primetrade-") as directory:
            run("mmdebstrap", "--quiet", *options, self.suite, scratch, env={"TMPDIR": directory})
        scratch.rename(self.layer)
        files.remove_former(self.layer, self.name)
        return self.layer


def working_directory() -> Path:
    """Return where to unpack: in memory when there is plenty, which is faster and spares the disk."""
    if MEMORY_DISK.is_dir() and shutil.disk_usage(MEMORY_DISK).free > MEMORY_DISK_BYTES:
        available = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        if available > 2 * MEMORY_DISK_BYTES:
            return MEMORY_DISK
    return paths.IMAGES


PYTHON = RootFilesystem("python", "bookworm", ("python3", "python3-venv", "ca-certificates", "tzdata"))

# The operator runs PostgreSQL as user 26, whatever Debian would choose; a database cluster is the operator's to make.
POSTGRESQL = RootFilesystem(
    "postgresql",
    "bookworm",
    ("postgresql-15", "ca-certificates"),
    (
        'mkdir -p "$1/etc/postgresql-common"',
        'echo "create_main_cluster = false" > "$1/etc/postgresql-common/createcluster.conf"',
        'echo "postgres:x:26:26:PostgreSQL:/var/lib/postgresql:/bin/bash" >> "$1/etc/passwd"',
    ),
)

VALKEY_EXPORTER = RootFilesystem("valkey-exporter", "bookworm", ("prometheus-redis-exporter",))

# From the next release: bookworm's PgBouncer does not know `auth_dbname`, which the operator sets, and there is no
# valkey-cli in bookworm.
POOLER_AND_CACHE = RootFilesystem("pooler-and-cache", "trixie", ("pgbouncer", "valkey-tools", "ca-certificates"))

# With a compiler: Varnish makes its configuration a program each time it starts. With the exporter, which needs the
# programs of Varnish: two images of one layer.
VARNISH = RootFilesystem("varnish", "trixie", ("varnish", "prometheus-varnish-exporter"))

# Beside PostgreSQL rather than within it: the commands by which the operator's plugin writes and reads backups.
BARMAN = RootFilesystem("barman", "trixie", ("barman-cli-cloud", "python3-zstandard", "ca-certificates"))

# What Envoy is linked to, glibc, and the authorities that it trusts outside of the mesh.
MESH_PROXY = RootFilesystem("mesh-proxy", "bookworm", ("ca-certificates",))

# From the next release: 4.0.5, where bookworm has 3.10.8 (seen 2026-11). Erlang asks the hosts file for its own node.
RABBITMQ = RootFilesystem(
    "rabbitmq",
    "trixie",
    ("rabbitmq-server", "ca-certificates"),
    ('echo "127.0.0.1 localhost" > "$1/etc/hosts"',),
)

# The package's configuration wants the directory of the man pages, which are left out.
JAVA = RootFilesystem(
    "java",
    "bookworm",
    ("openjdk-17-jre-headless", "ca-certificates"),
    ('mkdir -p "$1/usr/share/man/man1"',),
)

SERVERS = {RABBITMQ.name: RABBITMQ}
"""Servers that tests run from files of their own, in place of the machine's packages."""
