"""The cache: answers, versions, ended sessions and the limits' counters, in one Redis Cluster of one shard or more."""

from collections.abc import Sequence
from typing import Final

import pulumi

from infra import names
from infra.components.base import Target
from infra.components.data.valkey import PING, Servers, Valkey, client, exporter_flows
from infra.components.network import Flow, Peer
from infra.config import phase_spec

_BUS_PORT: Final = names.VALKEY_PORT + 10000
"""Where servers of a cluster talk to each other: always 10,000 above (the cluster specification)."""

_PORTS: Final = (names.VALKEY_PORT, _BUS_PORT)

_CONFIGURATION: Final = (
    # When the memory is full, what would leave first by itself leaves first: kept answers, which have at most 60 s,
    # before sessions that have ended, which are denied for longer than their tokens live. Ten samples instead of five
    # make a mistake in that order improbable.
    "maxmemory-policy volatile-ttl",
    "maxmemory-samples 10",
    "cluster-enabled yes",
    "cluster-config-file /data/nodes.conf",
    # Seconds until a follower takes over; a server that stands still for less is not replaced.
    "cluster-node-timeout 5000",
    # The loss of one shard takes a third of the users' kept answers, and not everybody's.
    "cluster-require-full-coverage no",
    "cluster-preferred-endpoint-type hostname",
    "repl-diskless-sync-delay 0",
    # A master that is stopped hands over to its replica before it goes (Valkey 9.0): nobody waits for the time-out.
    "shutdown-on-sigterm failover",
    # Who replicates whom is decided by where they run (`spread-cache`).
    "cluster-allow-replica-migration no",
)


def hosts(row: phase_spec.Cache) -> list[str]:
    """Return each server's name, as the others and the clients of the namespace find it."""
    return [f"{names.CACHE}-{number}.{names.CACHE_PODS}" for number in range(row.servers)]


# A server becomes one of the cluster beside the server itself. Servers know each other by address, and addresses change
# with each start. One that comes back tells the others, and learns of theirs; but when all come back at once nobody
# knows anybody, so each greets all that the Service names, and looks again and again: for some seconds the Service may
# name pods that are gone, and a server only finds after its time-out that nobody is where it knew somebody. The first
# takes the slots that nobody has, when it has greeted all and still knows of none: `shape-cache` shares them out. How
# many there are stands nowhere here: growing restarts none.
_BEFORE: Final = f"""\
cat >> /tmp/access.conf <<CONF
cluster-announce-ip $POD_IP
cluster-announce-hostname $(hostname).{names.CACHE_PODS}
cluster-announce-human-nodename $NODE_NAME
availability-zone "$ZONE"
CONF
join() {{
  until {client("ping")} | grep -q PONG; do sleep 0.2; done
  while true; do
    case "$({client("cluster info")})" in
      *cluster_state:ok?*cluster_nodes_pfail:0?*cluster_nodes_fail:0?*) sleep 5; continue ;;
    esac
    for address in $(getent ahosts {names.CACHE_PODS} | cut -d ' ' -f 1 | sort -u); do
      [ "$address" = "$POD_IP" ] || {client(f'cluster meet "$address" {names.VALKEY_PORT}')}
    done
    sleep 2
    if [ "$(hostname)" = {names.CACHE}-0 ] && {client("cluster info")} | grep -q '^cluster_slots_assigned:0'; then
      {client("cluster addslotsrange 0 16383")}
    fi
  done
}}
join > /dev/null 2>&1 &
"""

_FIELDS: Final = {
    "NODE_NAME": "spec.nodeName",
    # Empty before Kubernetes 1.35, which copies it from the node (KEP-4742, beta).
    "ZONE": "metadata.labels['topology.kubernetes.io/zone']",
}
"""Where a server runs: it tells `spread-cache`."""

# A server that sees the lesser part of the others refuses what it is asked. Nor shall the next one be taken down then.
_READY: Final = f"{PING} && {client('cluster info')} | grep -q cluster_state:ok"


class Cache(Valkey):
    """The servers. A single one has no disruption budget: it would block the drain of its node for ever.

    The API serves from the database while the cache is away.

    Args:
        row: sizes and numbers.
        services: of the API, each with a user of its own; without any there is one user for all.
        scraped: whether there is an exporter that asks the servers for what they tell of themselves.
    """

    def __init__(
        self,
        name: str,
        target: Target,
        *,
        row: phase_spec.Cache,
        services: tuple[str, ...],
        scraped: bool,
        after: Sequence[pulumi.Resource],
    ) -> None:
        siblings = Flow(Peer(names.CACHE_LABELS), _PORTS)
        several = row.servers > 1
        operators = (
            Flow(Peer(labels), (names.VALKEY_PORT,))
            for labels in (names.CACHE_RESHARDING_LABELS, names.CACHE_SPREADING_LABELS)
        )
        servers = Servers(
            name=names.CACHE,
            pods=names.CACHE_PODS,
            secret=names.CACHE,
            number=row.servers,
            storage=row.storage,
            compute=row.compute,
            configuration=_CONFIGURATION,
            before=_BEFORE,
            ready=_READY,
            fields=_FIELDS,
            services=services,
            ingress=(
                Flow(Peer(names.API_LABELS), (names.VALKEY_PORT,)),
                *exporter_flows(name, scraped=scraped),
                *((siblings, *operators) if several else ()),
            ),
            egress=(siblings,) if several else (),
        )
        super().__init__(name, target, servers, after)
        if several:
            self.disruption_budget(names.CACHE, self.labels)
        self.register_outputs({"service": names.CACHE})
