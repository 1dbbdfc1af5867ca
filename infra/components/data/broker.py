"""The broker: one Valkey server that carries messages to workers. Celery can't use a cluster (celery issue 2852)."""

from collections.abc import Sequence

import pulumi

from infra import names
from infra.components.base import Target
from infra.components.data.valkey import Servers, Valkey, exporter_flows
from infra.components.network import Flow, Peer
from infra.config import phase_spec


class Broker(Valkey):
    """One server, without a disruption budget: for a single pod it would block the drain of its node for ever.

    Its messages only name jobs that the database keeps: while it is away jobs wait, and none is lost with it. Nothing
    is ever evicted (`noeviction`, the default): a full broker refuses, and the jobs are announced again later.

    Args:
        row: sizes.
        scraped: whether there is an exporter that asks the server for what it tells of itself.
    """

    def __init__(
        self, name: str, target: Target, *, row: phase_spec.Broker, scraped: bool, after: Sequence[pulumi.Resource]
    ) -> None:
        servers = Servers(
            name=names.BROKER,
            pods=names.BROKER_PODS,
            secret=names.BROKER,
            number=1,
            storage=row.storage,
            compute=row.compute,
            configuration=(),
            inward=(Flow(Peer(names.API_LABELS), (names.VALKEY_PORT,)), *exporter_flows(name, scraped=scraped)),
        )
        super().__init__(name, target, servers, after)
        self.register_outputs({"service": names.BROKER})
