"""Migration of a SQLite database to PostgreSQL while both serve requests."""
