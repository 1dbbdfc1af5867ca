"""The names of the services, on their own so that a command line can offer them without loading any."""

ALL = "all"
SERVICES = ("auth", "tasks", "notifications", "analytics")
CHOICES = (ALL, *SERVICES)
