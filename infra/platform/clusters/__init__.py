"""Clusters that the platform's program makes, or is given."""
