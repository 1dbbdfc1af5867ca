"""Analytics service: statistics and weekly reports, from task events alone. Owns the tables `task_facts`,
`daily_counts` and `report_subscriptions`."""
