"""Servers of the cache, a Redis Cluster, as an operator's client sees them."""

import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from redis import Redis, RedisError

from app.cli.cluster_roles import Place

PATIENCE = 240.0
"""Seconds for each step to reach every server; the first waits for servers that are starting."""


class CacheError(Exception):
    """The cluster is not what it should be, or did not become it in time; the message says why."""


class Server:
    """A server of the cluster, by an address that all others can reach too."""

    def __init__(self, address: str, user: str, password: str | None) -> None:
        self.address = address
        self.host, _, port = address.rpartition(":")
        self.port = int(port)
        self.client = Redis(
            self.host, self.port, username=user, password=password, socket_timeout=5, decode_responses=True
        )
        self.id = ""

    def command(self, *words: str | int) -> Any:
        return self.client.execute_command(*words)  # type: ignore[no-untyped-call]

    def identify(self) -> None:
        """Ask for the identifier by which the others know it."""
        self.id = self.command("CLUSTER MYID")

    def nodes(self) -> dict[str, dict[str, Any]]:
        """Return this server's view of all nodes, by id."""
        return {known["node_id"]: known for known in self.command("CLUSTER NODES").values()}

    def is_whole(self) -> bool:
        """Whether it sees the cluster as whole."""
        return bool(self.client.cluster("info")["cluster_state"] == "ok")

    def is_in_sync(self) -> bool:
        """Whether it is a master, or has all that its master has."""
        replication = self.client.info("replication")
        return replication["role"] == "master" or bool(replication["master_link_status"] == "up")

    def is_moving_slots(self) -> bool:
        """Whether slots are on their way from it or to it."""
        moves = self.command("CLUSTER", "GETSLOTMIGRATIONS")
        return any(move["state"] not in ("success", "failed", "cancelled") for move in moves)

    def place(self) -> Place:
        """Return where it runs, as its configuration says."""
        said = {key: self.client.config_get(key).get(key) or "" for key in (_NODE, _ZONE)}
        return Place(said[_NODE], said[_ZONE])


_NODE, _ZONE = "cluster-announce-human-nodename", "availability-zone"


def connect(addresses: Sequence[str], user: str, password_file: Path | None) -> list[Server]:
    """Return the servers at these addresses.

    Args:
        addresses: host:port of each.
        user: user that may change the cluster.
        password_file: file with the user's password; None without one.
    """
    password = password_file.read_text().strip() if password_file else None
    return [Server(address, user, password) for address in addresses]


def slots_of(nodes: dict[str, dict[str, Any]]) -> dict[str, set[int]]:
    """Return the slots of each node that has some, in a server's view."""
    owned = {
        node: {slot for bounds in known["slots"] for slot in range(int(bounds[0]), int(bounds[-1]) + 1)}
        for node, known in nodes.items()
    }
    return {node: slots for node, slots in owned.items() if slots}


def wait_for(what: str, condition: Callable[[], Any]) -> None:
    """Wait until it holds; a server that does not answer is asked again.

    Raises:
        CacheError: it did not hold in time.
    """
    until = time.monotonic() + PATIENCE
    while True:
        try:
            if condition():
                return
            problem = ""
        except (RedisError, OSError) as error:
            problem = f": {error}"
        if time.monotonic() > until:
            raise CacheError(f"waited {PATIENCE:.0f} s for {what}{problem}")
        time.sleep(0.2)


def report(line: str) -> None:
    """Print what was changed."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
