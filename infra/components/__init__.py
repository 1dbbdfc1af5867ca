"""One part of the system a file, each a Pulumi component."""
