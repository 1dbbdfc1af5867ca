"""The Pulumi program: what the task manager stands on, and the installation of its chart."""
