"""`spread-cache`: keep the masters of the cache apart, and replicas from their masters, over nodes and zones.

Failovers move roles, and pods move over nodes, so it runs again and again. Where nothing is gained it changes nothing.
"""

import time
from collections.abc import Sequence
from pathlib import Path

from redis import AuthenticationError, ConnectionError, RedisError, TimeoutError  # noqa: A004 the library's own

from app.cli import fail
from app.cli.cluster_roles import Exchange, Failover, Masters, conflicts, plan
from app.cli.cluster_servers import CacheError, Server, connect, report, slots_of, wait_for
from app.cli.cluster_slots import unassigned

_FAILOVER_SECONDS = 6.0
"""Seconds until a failover is asked for again: the servers give one up after 5 (cluster-manual-failover-timeout)."""


def spread_cache(addresses: Sequence[str], user: str, password_file: Path | None) -> int:
    """Move roles until the fewest servers that should be apart are together; print each change in a line.

    A cluster that is not whole is left alone: roles are its own affair then.

    Args:
        addresses: host:port of each server.
        user: user that may change the cluster.
        password_file: file with the user's password; None without one.

    Returns:
        The exit status.
    """
    try:
        servers = connect(addresses, user, password_file)
        if problem := _unsettled(servers):
            report(f"nothing is moved: {problem}")
            return 0
        spread(servers)
    except (CacheError, RedisError, OSError) as error:
        return fail(str(error))
    return 0


def spread(servers: Sequence[Server]) -> None:
    """Move roles of servers that are in sync.

    Raises:
        CacheError: a step did not reach every server in time.
    """
    by_id = {server.id: server for server in servers}
    places = {server.id: server.place() for server in servers}
    masters = agreed_masters(servers)
    for step in plan(masters, places):
        match step:
            case Failover(replica):
                _fail_over(by_id[replica], by_id[masters[replica]])
            case Exchange(one, other):
                for replica, master in ((one, masters[other]), (other, masters[one])):
                    _follow(by_id[replica], by_id[master])
        masters = step.apply(masters)
        _wait_for_roles(servers, masters)
    nodes, zones = conflicts(masters, places)
    if nodes or zones:
        report(f"pairs that should be apart: {nodes} share a node, {zones} a zone")


def _wait_for_roles(servers: Sequence[Server], masters: Masters) -> None:
    wait_for("all to know the new roles", lambda: agreed_masters(servers) == masters)


def agreed_masters(servers: Sequence[Server]) -> Masters:
    """Return each server's master, once all servers agree."""
    ids = {server.id for server in servers}
    found: list[Masters] = []

    def agreed() -> bool:
        found[:] = [
            {node: node if "master" in known["flags"] else known["master_id"] for node, known in server.nodes().items()}
            for server in servers
        ]
        return all(view.keys() == ids and set(view.values()) <= ids and view == found[0] for view in found)

    wait_for("all to agree on the roles", agreed)
    return found[0]


def _unsettled(servers: Sequence[Server]) -> str:
    """Say why roles can't be moved now; empty if they can."""
    for server in servers:
        try:
            server.identify()
            if not server.is_whole():
                return f"{server.address} sees a cluster that is not whole"
            if not server.is_in_sync():
                return f"{server.address} is not in sync with its master"
            if server.is_moving_slots():
                return f"{server.address} has slots that are being moved"
        except AuthenticationError:
            raise
        except (ConnectionError, TimeoutError) as error:
            return f"{server.address} does not answer: {error}"
    ids = {server.id for server in servers}
    for server in servers:
        nodes = server.nodes()
        owned = slots_of(nodes)
        idle = [node for node, known in nodes.items() if "master" in known["flags"] and node not in owned]
        if nodes.keys() != ids or idle or unassigned(owned):
            return f"{server.address} knows other servers, or slots that nobody has"
    return ""


def _fail_over(replica: Server, master: Server) -> None:
    asked = 0.0

    def promoted() -> bool:
        nonlocal asked
        if "master" in replica.nodes()[replica.id]["flags"]:
            return True
        if time.monotonic() - asked > _FAILOVER_SECONDS:
            asked = time.monotonic()
            replica.command("CLUSTER", "FAILOVER")
        return False

    wait_for(f"{replica.address} to take over from {master.address}", promoted)
    wait_for(f"{master.address} to follow", master.is_in_sync)
    report(f"{replica.address}: takes over from {master.address}")


def _follow(replica: Server, master: Server) -> None:
    replica.command("CLUSTER", "REPLICATE", master.id)
    wait_for(f"{replica.address} to follow {master.address}", replica.is_in_sync)
    report(f"{replica.address}: follows {master.address}")
