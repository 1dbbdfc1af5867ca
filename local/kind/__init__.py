"""A cluster of kind: Kubernetes nodes as Docker containers, and the stack on them."""
