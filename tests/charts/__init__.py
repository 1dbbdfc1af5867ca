"""A chart repository on loopback: charts of ours that take the values of the upstream ones, and upstream ones."""
