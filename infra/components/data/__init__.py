"""Where data lives: databases, cache, broker, backups."""
