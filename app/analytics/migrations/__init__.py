"""Migrations of the analytics branch of the schema."""
