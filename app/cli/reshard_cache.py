"""`shape-cache`: reshard the cache, a Redis Cluster, to a number of shards while it serves.

New servers join, masters get equal numbers of hash slots, and the other servers become replicas. A slot migrates
atomically with all its keys (CLUSTER MIGRATESLOTS of Valkey 9). Idempotent: a run resumes where a killed one stopped.
"""

import socket
from collections.abc import Sequence
from pathlib import Path

from redis import RedisError

from app.cli import fail
from app.cli.cluster_servers import CacheError, Server, connect, report, slots_of, wait_for
from app.cli.cluster_slots import moves, ranges, unassigned
from app.cli.spread_cache import spread


def reshard_cache(addresses: Sequence[str], shards: int, user: str, password_file: Path | None) -> int:
    """Reshard the cluster; print each change in a line.

    Args:
        addresses: host:port of each server. Where there is a choice, the first ones become masters.
        shards: number of masters with slots.
        user: user that may change the cluster.
        password_file: file with the user's password; None without one.

    Returns:
        The exit status.
    """
    if not 1 <= shards <= len(addresses):
        return fail(f"{shards} shards can't be made of {len(addresses)} servers", 2)
    try:
        _Cluster(connect(addresses, user, password_file)).shape(shards)
    except (CacheError, RedisError, OSError) as error:
        return fail(str(error))
    return 0


class _Cluster:
    def __init__(self, servers: list[Server]) -> None:
        self._servers = servers

    def shape(self, shards: int) -> None:
        for server in self._servers:
            wait_for(f"{server.address} to answer", server.client.ping)
            server.identify()
        self._meet()
        self._forget_failed()
        masters = self._masters(shards)
        self._distribute_slots(masters)
        self._assign_replicas(masters)
        wait_for("all replicas to be in sync", lambda: all(server.is_in_sync() for server in self._servers))
        spread(self._servers)
        report(f"{shards} shards of {len(self._servers)} servers: complete")

    def _meet(self) -> None:
        ids = {server.id for server in self._servers}
        first, *others = sorted(self._servers, key=lambda server: -len(server.nodes()))
        for server in others:
            if server.id not in first.nodes():
                # by IP address, which is what CLUSTER MEET takes
                first.command("CLUSTER", "MEET", socket.gethostbyname(server.host), server.port)
                report(f"{server.address}: joins")
        wait_for("all to know all", lambda: all(ids <= server.nodes().keys() for server in self._servers))

    def _forget_failed(self) -> None:
        ids = {server.id for server in self._servers}
        for server in self._servers:
            for node, known in server.nodes().items():
                if node not in ids and "fail" in known["flags"].split(","):
                    server.command("CLUSTER", "FORGET", node)

    def _owned(self) -> dict[str, set[int]]:
        """Return the slots of each node, once all servers agree.

        Raises:
            CacheError: they did not agree in time.
        """
        found: list[dict[str, set[int]]] = []

        def agreed() -> bool:
            found[:] = [slots_of(server.nodes()) for server in self._servers]
            return all(seen == found[0] for seen in found)

        wait_for("all to agree on the slots", agreed)
        return found[0]

    def _masters(self, shards: int) -> list[Server]:
        owned = self._owned()
        masters = [server for server in self._servers if server.id in owned]
        if len(masters) > shards:
            raise CacheError(f"the cache has {len(masters)} shards: they can't be made {shards}, only more")
        roles = self._servers[0].nodes()
        free = [server for server in self._servers if server.id not in owned]
        # servers that replicate no master yet come first
        free.sort(key=lambda server: "master" not in roles[server.id]["flags"])
        for server in free[: shards - len(masters)]:
            if "master" not in roles[server.id]["flags"]:
                server.command("CLUSTER", "RESET", "SOFT")
                self._meet()
            masters.append(server)
        return masters

    def _distribute_slots(self, masters: list[Server]) -> None:
        if orphaned := unassigned(self._owned()):
            words = [str(slot) for bounds in ranges(orphaned) for slot in bounds]
            masters[0].command("CLUSTER", "ADDSLOTSRANGE", *words)
            report(f"{masters[0].address}: gets {len(orphaned)} slots that nobody had")
        # A server that has just joined rejects commands until its cluster state is ok: no slots move there before.
        wait_for("all to see the cluster as whole", lambda: all(server.is_whole() for server in self._servers))
        by_id = {server.id: server for server in self._servers}
        for (source, target), slot_ranges in moves(self._owned(), [server.id for server in masters]).items():
            self._move(by_id[source], by_id[target], slot_ranges)

    def _move(self, source: Server, target: Server, slot_ranges: list[tuple[int, int]]) -> None:
        words = [str(slot) for bounds in slot_ranges for slot in bounds]
        count = sum(last - first + 1 for first, last in slot_ranges)
        wanted = {slot for first, last in slot_ranges for slot in range(first, last + 1)}

        def moved() -> bool:
            """Start the migration, or poll it; a failed one is restarted."""
            if wanted <= slots_of(source.nodes()).get(target.id, set()):
                return True
            if not source.is_moving_slots():
                source.command("CLUSTER", "MIGRATESLOTS", "SLOTSRANGE", *words, "NODE", target.id)
            return False

        wait_for(f"{count} slots to move from {source.address} to {target.address}", moved)
        report(f"{target.address}: takes {count} slots over from {source.address}")

    def _assign_replicas(self, masters: list[Server]) -> None:
        replicas = {server.id: 0 for server in masters}
        roles = self._servers[0].nodes()
        for known in roles.values():
            if known["master_id"] in replicas:
                replicas[known["master_id"]] += 1
        for server in self._servers:
            if server.id in replicas or roles[server.id]["master_id"] in replicas:
                continue
            master = min(replicas, key=lambda node: replicas[node])
            replicas[master] += 1
            server.command("CLUSTER", "REPLICATE", master)
            report(f"{server.address}: follows {next(one.address for one in masters if one.id == master)}")
