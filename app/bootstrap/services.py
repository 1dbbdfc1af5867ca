"""Names of the services, importable without loading any."""

ALL = "all"
SERVICES = ("auth", "tasks", "notifications", "analytics")
CHOICES = (ALL, *SERVICES)
