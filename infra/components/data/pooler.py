"""Poolers of the database: PgBouncer, by the CloudNativePG operator."""

from typing import Any, Final, Literal

from pulumi_kubernetes.core import v1 as core

from infra.components import pods
from infra.config.phase_spec import POOLER_CLIENTS, Compute
from infra.names import ClusterGeneration

PGBOUNCER_IMAGE: Final = "ghcr.io/cloudnative-pg/pgbouncer:1.25.1"

_POOL: Final = 40
"""Server connections of all PgBouncers of one kind, of PostgreSQL's 100: migrations and the operator take a handful."""
_ROUND_ROBIN: Final = {"server_round_robin": "1", "server_lifetime": "60"}
"""A connection leads to one of the standbys, by chance. PgBouncer prefers the one used last, so one standby would do
all the work: here they take turns, and one that came back is among them within a minute."""
_COMPUTE: Final = Compute(cpu_request=50, cpu_limit=500, memory=64)
_PRE_STOP_SECONDS: Final = 5
"""Seconds for which a terminating pooler still accepts connections: until every node has dropped its endpoint.
PgBouncer itself would refuse them at once."""


def pooler_spec(
    name: str,
    generation: ClusterGeneration,
    kind: Literal["rw", "ro"],
    instances: int,
    databases: int,
    pull_secrets: list[core.LocalObjectReferenceArgs] | None,
) -> dict[str, Any]:
    """A `Pooler` before the primary (`rw`) or the standbys (`ro`).

    In transaction mode a connection serves whichever pod has a transaction open. PgBouncer has a pool for each pair of
    database and user, so the connections are shared out among the databases.

    A failover takes seconds, and PgBouncer's defaults are made for longer ones: it would look for the new primary every
    15 s and wait 15 s for one that is gone. Here it looks five times a second, and a transaction waits for it up to 15
    s, not two minutes, which is longer than any client waits for its answer.

    Between two looks it refuses whoever needs another connection. That is so too when it was refused itself, as after
    each failover: the new primary stores the same password with another salt, with which PgBouncer can log in only once
    a client has.
    """
    return {
        "cluster": {"name": generation.cluster},
        "instances": instances,
        "type": kind,
        "pgbouncer": {
            "poolMode": "transaction",
            "parameters": {
                "default_pool_size": str(_POOL // instances // databases),
                "max_client_conn": str(POOLER_CLIENTS),
                "server_login_retry": "0.2",
                "server_connect_timeout": "3",
                "query_wait_timeout": "15",
                **(_ROUND_ROBIN if kind == "ro" else {}),
            },
        },
        "template": {
            "metadata": {"labels": {"app.kubernetes.io/part-of": "task-manager", **generation.labels}},
            "spec": {
                **({"imagePullSecrets": pull_secrets} if pull_secrets else {}),
                "containers": [
                    {
                        "name": "pgbouncer",
                        "image": PGBOUNCER_IMAGE,
                        "resources": _COMPUTE.resources(),
                        "lifecycle": {"preStop": {"sleep": {"seconds": _PRE_STOP_SECONDS}}},
                    }
                ],
                "topologySpreadConstraints": pods.spread({"cnpg.io/poolerName": name}),
            },
        },
    }
