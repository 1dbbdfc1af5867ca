"""Backups by Barman's commands, as the operator takes them, to an S3 server on a loopback port."""

from __future__ import annotations

import os
import shlex
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tests.support.ports import free_port, wait_for
from tests.support.postgres import Postgres, as_server, postgres, server_on
from tests.support.tools import built

ROOT = Path(__file__).parents[2]
BUCKET, SERVER, BASE = "backups", "server", "base"
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "access", "AWS_SECRET_ACCESS_KEY": "not-very-secret"}


@dataclass(frozen=True)
class Archive:
    """A bucket, and Barman's commands on it."""

    port: int

    def command(self, name: str, *arguments: str) -> list[str]:
        """Return a command of Barman, options first."""
        options = [argument for argument in arguments if argument.startswith("--")]
        rest = [argument for argument in arguments if not argument.startswith("--")]
        given = [f"{key}={value}" for key, value in CREDENTIALS.items()]
        where = [f"--endpoint-url=http://127.0.0.1:{self.port}", f"s3://{BUCKET}/stack", SERVER]
        return ["env", *given, f"barman-cloud-{name}", *options, *where, *rest]

    @contextmanager
    def archiving(self) -> Iterator[Postgres]:
        """Run a server that archives its WAL as the operator's do."""
        write = shlex.join(self.command("wal-archive", "--gzip", "%p"))
        with postgres(archive_mode="on", archive_command=write) as server:
            yield server

    def take(self, server: Postgres) -> None:
        """Take a base backup."""
        where = ("--user=postgres", "--host=127.0.0.1", f"--port={server.port}")
        subprocess.run(
            self.command("backup", f"--name={BASE}", "--immediate-checkpoint", *where), check=True, capture_output=True
        )

    def complete(self, server: Postgres) -> None:
        """Wait until all commits are archived, by the statements of `make restore`."""
        server.execute("SELECT pg_logical_emit_message(true, 'restore', '')")
        segment = server.execute("SELECT pg_walfile_name(pg_switch_wal())")
        archived = f"SELECT coalesce(last_archived_wal, '') >= '{segment}' FROM pg_stat_archiver"  # noqa: S608
        wait_for(lambda: bool(server.execute(archived)), "the log is archived")

    @contextmanager
    def recovered(self, moment: str) -> Iterator[Postgres]:
        """Run a server restored to a moment."""
        read = shlex.join(self.command("wal-restore", "%f", "%p"))
        settings = {
            "restore_command": read,
            "recovery_target_time": moment,
            "recovery_target_action": "promote",
            "archive_mode": "off",
        }

        def restore(data: Path) -> None:
            as_server(*self.command("restore", BASE, str(data)), cwd=data.parent)
            with (data / "postgresql.auto.conf").open("a") as file:
                file.writelines(
                    f"{name} = '{value.replace(chr(39), chr(39) * 2)}'\n" for name, value in settings.items()
                )
            (data / "recovery.signal").touch()

        with server_on(restore) as server:
            wait_for(lambda: not server.execute("SELECT pg_is_in_recovery()"), "the moment is reached")
            yield server


@contextmanager
def archive(folder: Path) -> Iterator[Archive]:
    """Run an S3 server with an empty bucket, in an empty folder."""
    program = built("versitygw")
    (folder / BUCKET).mkdir()
    port = free_port()
    process = subprocess.Popen(
        [program, "--port", f"127.0.0.1:{port}", "--quiet", "posix", str(folder)],
        env={
            **os.environ,
            "ROOT_ACCESS_KEY": CREDENTIALS["AWS_ACCESS_KEY_ID"],
            "ROOT_SECRET_KEY": CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        },
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )

    def listens() -> bool:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            return True
        return False

    try:
        wait_for(listens, "the S3 interface listens")
        yield Archive(port)
    finally:
        process.terminate()
        process.wait(10)
