"""Stand-ins for the Pulumi plugins that no package registry has; the engine starts the two executables here."""
