"""Composition root: binds implementations to ports."""
