"""What the rules and the HTTP layer lean on: settings, tokens, passwords, logs, metrics."""
