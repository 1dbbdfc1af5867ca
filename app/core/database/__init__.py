"""Database access: engine, unit of work, replicas, circuit breaker, retries, migrations."""
