"""Sections of the database and its backups."""

from typing import Annotated

from pydantic import BeforeValidator, Field

from infra.config.phase_spec import DatabaseKind
from infra.config.sections import Section
from infra.config.types import (
    Cpu,
    Durability,
    FormerTables,
    IdentityName,
    Name,
    RestoreEntry,
    RetiredClusterPolicy,
    Url,
    split_restores,
)


class DatabaseSizes(Section):
    """Number and size of a PostgreSQL cluster's servers, volumes and poolers."""

    instances: Annotated[int, Field(ge=1, le=9)] | None = Field(
        default=None,
        description="PostgreSQL's servers: the primary and its standbys. Empty: the phase's own (1: 1, 2: 2, 3 to 4:"
        " 4).",
    )
    cpu: Cpu | None = Field(
        default=None, description="CPU request of each server, in millicores. Empty: the phase's own (150)."
    )
    memory: Annotated[int, Field(ge=256, le=1_048_576)] | None = Field(
        default=None,
        description="Memory of each server, in MiB: request and limit, and what its buffers are derived from. Empty:"
        " the phase's own (512).",
    )
    storage: int = Field(
        default=0,
        ge=0,
        le=65536,
        description="GiB of each volume of the database; where the StorageClass lets volumes grow it can be raised at"
        " any time, and never lowered. 0: the phase's own (1: 5, 2 to 4: 10).",
    )
    wal_storage: int = Field(
        default=0,
        ge=0,
        le=65536,
        description="GiB of a volume of its own for each server's write-ahead log. It can be added and raised at any"
        " time, and neither lowered nor taken away. 0: the log is on the volume of the data.",
    )
    poolers: Annotated[int, Field(ge=0, le=10)] | None = Field(
        default=None,
        description="PgBouncer's pods before the primary; 0 for none. Empty: the phase's own (1: 0, 2 to 4: 2).",
    )
    replica_poolers: Annotated[int, Field(ge=0, le=10)] | None = Field(
        default=None,
        description="PgBouncer's pods before the standbys; 0 keeps all reads on the primary. Empty: the phase's own (3"
        " to 4: 2, else 0).",
    )


class Database(DatabaseSizes):
    """The database and its clusters."""

    kind: DatabaseKind | None = Field(
        default=None, description="sqlite or postgresql. Empty: the phase's own (1: sqlite, then postgresql)."
    )
    durability: Durability = Field(
        default=Durability.REQUIRED,
        description="With a standby: required (a write waits until a standby has it, even if none is up) or preferred"
        " (writes go on without a standby, and those of that time are lost if the primary is lost too).",
    )
    operator_namespace: Name = Field(
        default="cnpg-system", min_length=1, description="Namespace of the CloudNativePG operator."
    )
    restores: Annotated[tuple[RestoreEntry, ...], BeforeValidator(split_restores)] = Field(
        default=(),
        description="Moments that the database was restored to, as `make restore` writes them: a list, the latest last,"
        " each as 2030-01-02T03:04:05+00:00@1 (out of cluster 1).",
    )
    retired_clusters: RetiredClusterPolicy = Field(
        default=RetiredClusterPolicy.HIBERNATED,
        description="What a restore does with the cluster that it replaces: hibernated (its volumes are kept, without"
        " pods) or removed.",
    )
    former_tables: FormerTables = Field(
        default=FormerTables.KEPT,
        description="From phase 4 on, what happens to the tables that services have left behind in the database of"
        " phase 3: kept (read-only) or removed.",
    )


class Backups(Section):
    """Backups of PostgreSQL."""

    bucket: Name = Field(
        default="",
        description="Bucket for PostgreSQL's backups and write-ahead log; its credentials are in the Secret"
        " task-manager-backups (access-key-id, secret-access-key, region), unless there is an identity. Empty: no"
        " backups.",
    )
    endpoint: Url = Field(
        default="",
        description="Address of the bucket's S3 interface, or of the storage account with an identity of Azure. Empty:"
        " Amazon's.",
    )
    identity: IdentityName = Field(
        default="",
        description="Workload identity that may use the bucket, in place of keys: the ARN of an IAM role for the"
        " ServiceAccount (EKS), pod-identity (EKS Pod Identity), the e-mail address of a Google service account (GKE;"
        " the bucket is Google's) or the client ID of a managed identity (AKS; the bucket is a container).",
    )
    folder: str = Field(
        default="",
        pattern=r"^$|^[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)*$",
        description="Folder in the bucket. Empty: the namespace's name and id, so that a stack that is made anew does"
        " not write into what is left of the one before it.",
    )
    waived: bool = Field(
        default=False,
        description="Whether the stack goes without backups on purpose: without a bucket, each update from phase 2 on"
        " warns otherwise.",
    )
