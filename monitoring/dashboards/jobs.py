"""Background work: queued jobs, events in the outbox, and dead letters."""

from grafana_foundation_sdk.builders.dashboard import Dashboard

from monitoring.dashboards.panels import WINDOW, Rows, dashboard, graph


def jobs() -> Dashboard:
    """Every instance exports the same numbers, since they are the database's: hence the maximum."""
    rows: Rows = {
        "Jobs": [
            graph(
                "Jobs that wait or run",
                "By state. The workers' autoscaler goes by those that are queued.",
                "short",
                {"{{service}} {{state}}": 'max by (service, state) (task_manager_jobs{state!="failed"})'},
                alerts=["JobsPileUp"],
            ),
            graph(
                "Dead-lettered jobs",
                "Jobs that have failed every try.",
                "short",
                {"{{service}}": 'max by (service) (task_manager_jobs{state="failed"})'},
                alerts=["JobsFail"],
            ),
        ],
        "Events": [
            graph(
                "Events that wait",
                "In the outbox, for the relay to publish.",
                "short",
                {"{{service}}": "max by (service) (task_manager_events_waiting)"},
                alerts=["EventsLate"],
            ),
            graph(
                "Age of the oldest",
                "How long it has waited.",
                "s",
                {"{{service}}": "max by (service) (task_manager_events_oldest_seconds)"},
                alerts=["EventsLate"],
            ),
        ],
        "Consumers": [
            graph(
                "Events handled",
                "A second, by consumer and outcome.",
                "ops",
                {
                    "{{service}} {{consumer}} {{outcome}}": "sum by (service, consumer, outcome)"
                    f" (rate(task_manager_events_delivered_total[{WINDOW}]))"
                },
            ),
            graph(
                "Events not handled",
                "To be retried, or dead-lettered.",
                "short",
                {
                    "{{service}} {{consumer}} {{state}}": "max by (service, consumer, state)"
                    " (task_manager_events_failed)"
                },
                alerts=["EventsGivenUp"],
            ),
        ],
        "Deliveries": [
            graph(
                "Notifications by mail and SMS",
                "Of the last hour, by outcome. Dropped: no longer wanted, no address, or above the limit of a day.",
                "short",
                {"{{channel}} {{state}}": "max by (channel, state) (task_manager_deliveries)"},
                alerts=["DeliveriesFail"],
            ),
        ],
    }
    return dashboard("jobs", "jobs and events", "Background work and events.", rows)
