"""What somebody has to do. Owns the table `tasks`."""
