"""A Kubernetes cluster of processes on this machine: control plane, nodes, add-ons."""
