"""A real Kubernetes on this machine, and the stack on it: `python -m local --help`."""
