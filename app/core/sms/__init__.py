"""Text messages: the port, and adapters of providers' HTTP APIs."""
