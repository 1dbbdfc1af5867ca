"""What came of everybody's tasks, by the day. Learns of tasks through events alone. Owns the tables `task_facts` and
`daily_counts`."""
