"""PostgreSQL: connections, replicas, the log, backups."""

from grafana_foundation_sdk.builders.dashboard import Dashboard

from monitoring.dashboards.panels import WINDOW, Rows, dashboard, graph, number

_OURS = '{datname=~"tasks|.+_service"}'
"""The one of all services, or one of each."""


def database() -> Dashboard:
    """What the API sees of the database, and what the database says of itself."""
    rows: Rows = {
        "As the API sees it": [
            graph(
                "Connections in use",
                "Of each instance of the API, by server. At the size of the pool requests begin to wait.",
                "short",
                {
                    "{{pod}} {{server}}": 'task_manager_database_connections{state="in_use"}',
                    "pool size": "max(task_manager_database_pool_size)",
                },
                alerts=["ConnectionPoolFull"],
            ),
            graph(
                "Reads by source",
                "Reads a second, by where they went and why.",
                "ops",
                {
                    "{{service}} {{source}}": "sum by (service, source)"
                    f" (rate(task_manager_database_reads_total[{WINDOW}]))"
                },
            ),
            graph(
                "Replicas in rotation",
                "Share of the API's instances that send reads to a replica.",
                "percentunit",
                {"{{service}} {{server}}": "avg by (service, server) (task_manager_database_replica_in_rotation)"},
                alerts=["NoReplicaInRotation"],
            ),
        ],
        "Replication": [
            graph(
                "Lag as the API sees it",
                "Age of what a replica has replayed, as the instance sees it that is nearest.",
                "s",
                {"{{service}} {{server}}": "min by (service, server) (task_manager_database_replica_lag_seconds)"},
                alerts=["ReplicaLags"],
            ),
            graph(
                "Lag as the server says",
                "Age of what a server has replayed.",
                "s",
                {"{{pod}}": "cnpg_pg_replication_lag"},
                alerts=["ReplicaLags"],
            ),
            graph(
                "Standbys that stream",
                "Of the primary. Without any, writes wait.",
                "short",
                {"{{service}}": "max by (service) (cnpg_pg_replication_streaming_replicas)"},
                alerts=["NoStandby"],
            ),
        ],
        "Pools": [
            graph(
                "Clients of the poolers",
                "That have a transaction open, and that wait for a connection.",
                "short",
                {
                    "{{pod}} active": "sum by (pod) (cnpg_pgbouncer_pools_cl_active)",
                    "{{pod}} waiting": "sum by (pod) (cnpg_pgbouncer_pools_cl_waiting)",
                },
            ),
            graph(
                "Longest wait for a connection",
                "Of the clients that wait right now.",
                "s",
                {"{{pod}}": "max by (pod) (cnpg_pgbouncer_pools_maxwait)"},
                alerts=["ClientsWaitForConnections"],
            ),
            graph(
                "Connections by server",
                "To PostgreSQL, of 100 that each takes.",
                "short",
                {"{{pod}}": "sum by (pod) (cnpg_backends_total)"},
            ),
        ],
        "Work": [
            graph(
                "Transactions",
                "Committed a second.",
                "ops",
                {
                    "{{pod}} {{datname}}": "sum by (pod, datname)"
                    f" (rate(cnpg_pg_stat_database_xact_commit{_OURS}[{WINDOW}]))"
                },
            ),
            graph(
                "Longest transaction",
                "How long it has been open.",
                "s",
                {"{{pod}}": "max by (pod) (cnpg_backends_max_tx_duration_seconds)"},
            ),
            graph(
                "Size",
                "Of each service's database on each server.",
                "bytes",
                {"{{pod}} {{datname}}": f"cnpg_pg_database_size_bytes{_OURS}"},
            ),
        ],
        "The volumes": [
            graph(
                "Share of the volume in use",
                "By data and write-ahead log, or by each where the log has a volume of its own. A full one stops"
                " the server.",
                "percentunit",
                {"{{pod}}, {{volume}}": 'task_manager:volume_used:ratio{volume=~"database.*"}'},
                alerts=["DatabaseVolumeFills", "DatabaseVolumeFillsFast", "DatabaseVolumeFillsSoon"],
            ),
        ],
        "The log and backups": [
            graph(
                "Size of the log",
                "Write-ahead log on each server's volume.",
                "bytes",
                {"{{pod}}": 'cnpg_collector_pg_wal{value="size"}'},
                alerts=["LogPilesUp"],
            ),
            graph(
                "Segments archived",
                "A second, and those that failed.",
                "ops",
                {
                    "{{service}} archived": f"sum by (service) (rate(cnpg_pg_stat_archiver_archived_count[{WINDOW}]))",
                    "{{service}} failed": f"sum by (service) (rate(cnpg_pg_stat_archiver_failed_count[{WINDOW}]))",
                },
                alerts=["ArchiveFails"],
            ),
            number(
                "Newest base backup",
                "Its age.",
                "s",
                "time() - max by (service) (barman_cloud_cloudnative_pg_io_last_available_backup_timestamp)",
                legend="{{service}}",
                alerts=["BackupTooOld"],
            ),
        ],
    }
    return dashboard("database", "database", "PostgreSQL, its replicas, poolers and backups.", rows)
