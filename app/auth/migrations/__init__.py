"""Migrations of the auth branch of the schema."""
