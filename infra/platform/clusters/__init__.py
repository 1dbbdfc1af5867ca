"""Clusters that the platform is installed in."""
