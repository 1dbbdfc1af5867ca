"""Databases and roles of the services that share a PostgreSQL cluster, by the CloudNativePG operator."""

from collections.abc import Sequence
from typing import Any, Final

from infra import names
from infra.config.growth import Growth
from infra.names import ClusterGeneration, ServiceNames

API_VERSION: Final = "postgresql.cnpg.io/v1"


def roles(services: Sequence[str], growth: Growth | None) -> dict[str, Any]:
    """Return the `managed` section of a `Cluster`, with passwords of Secrets.

    Args:
        services: each gets a role.
        growth: of services out of the database of all, by a role that acts for the tables' owner; None without one.
    """
    managed: list[dict[str, Any]] = [
        {
            "name": own.database,
            "ensure": "present",
            "login": True,
            "passwordSecret": {"name": own.database_secret},
        }
        for own in map(ServiceNames, services)
    ]
    if growth and growth.former_tables:
        managed.append(
            {
                "name": names.REPLICATION_ROLE,
                "ensure": "present",
                "login": True,
                "replication": True,
                "inRoles": [names.DATABASE_NAME],
                "passwordSecret": {"name": names.REPLICATION_SECRET},
            }
        )
    elif growth:
        managed.append({"name": names.REPLICATION_ROLE, "ensure": "absent"})
    return {"managed": {"roles": managed}} if managed else {}


def former_cluster(former: ClusterGeneration) -> dict[str, Any]:
    """Return the `externalClusters` of a `Cluster` that services' tables move into."""
    parameters = {
        "host": former.primary,
        "user": names.REPLICATION_ROLE,
        "dbname": names.DATABASE_NAME,
        "sslmode": "require",
    }
    password = {"name": names.REPLICATION_SECRET, "key": "password"}
    return {"name": names.FORMER_CLUSTER, "connectionParameters": parameters, "password": password}


def access_rules(services: Sequence[str]) -> dict[str, Any]:
    """Return `pg_hba` of a `Cluster`: the role of a service connects to its own database and to no other.

    The operator puts these lines before its own last one, which lets every role with a password into every database.
    """
    if not services:
        return {}
    databases = [own.database for own in map(ServiceNames, services)]
    own_ones = [f"hostssl {name} {name} all scram-sha-256" for name in databases]
    return {"pg_hba": [*own_ones, *(f"host all {name} all reject" for name in databases)]}


def database_spec(own: ServiceNames, cluster: str) -> dict[str, Any]:
    """Return the `Database` of a service. It stays in the cluster when the program no longer names it."""
    return {
        "cluster": {"name": cluster},
        "name": own.database,
        "owner": own.database,
        "ensure": "present",
        "databaseReclaimPolicy": "retain",
    }
