"""Migrations of the tasks branch of the schema."""
