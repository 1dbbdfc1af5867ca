"""Databases and roles of the services that share a PostgreSQL cluster, by the CloudNativePG operator."""

from collections.abc import Sequence
from typing import Any

from infra.names import ServiceNames


def roles(services: Sequence[str]) -> dict[str, Any]:
    """Return the `managed` section of a `Cluster`: a role a service, with the password of its Secret."""
    if not services:
        return {}
    managed = [
        {
            "name": own.database,
            "ensure": "present",
            "login": True,
            "passwordSecret": {"name": own.database_secret},
        }
        for own in map(ServiceNames, services)
    ]
    return {"managed": {"roles": managed}}


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
