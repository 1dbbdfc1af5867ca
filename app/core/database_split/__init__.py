"""Move of one service's tables to a database of its own, by logical replication."""
