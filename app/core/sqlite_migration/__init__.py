"""Online migration from SQLite to PostgreSQL."""
