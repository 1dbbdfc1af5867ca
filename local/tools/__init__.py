"""Programs that the cluster and the stack run: built from Go modules, or taken from the Python package index."""
