"""RabbitMQ: the queues of the services, and the nodes."""

from grafana_foundation_sdk.builders.dashboard import Dashboard

from monitoring.dashboards.panels import WINDOW, Rows, dashboard, graph, number

_MEMORY = "rabbitmq_process_resident_memory_bytes / rabbitmq_resident_memory_limit_bytes"
_FREE = "rabbitmq_disk_space_available_bytes / rabbitmq_disk_space_available_limit_bytes"


def _rate(metric: str) -> str:
    return f"sum(rate({metric}[{WINDOW}]))"


def rabbitmq() -> Dashboard:
    """What waits and who consumes, by queue; messages, memory and disk of the nodes."""
    rows: Rows = {
        "Queues": [
            graph(
                "Messages that wait",
                "Ready for a consumer, by queue of events.",
                "short",
                {"{{queue}}": 'task_manager:rabbitmq_queue_ready:max{queue=~"task-manager[.][^.]+"}'},
                alerts=["QueueBacklog"],
            ),
            graph(
                "Consumers",
                "Of each queue of events: one a process of its service.",
                "short",
                {"{{queue}}": 'max by (queue) (rabbitmq_detailed_queue_consumers{queue=~"task-manager[.][^.]+"})'},
                alerts=["QueueWithoutConsumer"],
            ),
            graph(
                "Dead letters",
                "Messages that a service could not read.",
                "short",
                {
                    "{{queue}}": "max by (queue)"
                    ' (rabbitmq_detailed_queue_messages{queue=~"task-manager[.].+[.]dead-letters"})'
                },
                alerts=["DeadLettersPresent"],
            ),
        ],
        "Messages": [
            graph(
                "Published and delivered",
                "A second, of events and of background jobs together.",
                "ops",
                {
                    "received": _rate("rabbitmq_global_messages_received_total"),
                    "confirmed": _rate("rabbitmq_global_messages_confirmed_total"),
                    "delivered": _rate("rabbitmq_global_messages_delivered_total"),
                },
            ),
            graph(
                "Delivered again",
                "A second, since a consumer was lost or gave them back.",
                "ops",
                {"redelivered": _rate("rabbitmq_global_messages_redelivered_total")},
            ),
            graph(
                "Messages without a queue",
                "A second, returned to their publisher.",
                "ops",
                {"returned": _rate("rabbitmq_global_messages_unroutable_returned_total")},
                alerts=["EventsUnroutable"],
            ),
        ],
        "Nodes": [
            number(
                "Nodes",
                "Nodes that answer Prometheus.",
                "short",
                'count(rabbitmq_build_info{job="rabbitmq"})',
                alerts=["RabbitmqAway"],
            ),
            graph(
                "Nodes that are not reached",
                "By the others: away, or cut off.",
                "short",
                {"{{pod}}": "max by (pod) (rabbitmq_unreachable_cluster_peers_count)"},
                alerts=["RabbitmqNodeAway"],
            ),
            graph("Connections", "Of clients, by node.", "short", {"{{pod}}": "max by (pod) (rabbitmq_connections)"}),
        ],
        "Memory and disk": [
            graph(
                "Memory",
                "Share of what a node may use before it blocks publishers.",
                "percentunit",
                {"{{pod}}": f"max by (pod) ({_MEMORY})"},
                alerts=["RabbitmqMemoryAlarm"],
            ),
            graph(
                "Free space",
                "Of each volume, as a multiple of what has to be free.",
                "short",
                {"{{pod}}": f"max by (pod) ({_FREE})"},
                alerts=["RabbitmqVolumeFills"],
            ),
            graph(
                "Alarms",
                "By node: 1 while it blocks publishers.",
                "short",
                {
                    "{{pod}} memory": "rabbitmq_alarms_memory_used_watermark",
                    "{{pod}} disk": "rabbitmq_alarms_free_disk_space_watermark",
                },
                alerts=["RabbitmqMemoryAlarm", "RabbitmqDiskAlarm"],
            ),
        ],
    }
    return dashboard("rabbitmq", "RabbitMQ", "Events and messages of background jobs.", rows)
