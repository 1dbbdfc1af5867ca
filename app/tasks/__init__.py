"""Tasks service: tasks, tags, attachments, import and export. Owns the table `tasks`."""
