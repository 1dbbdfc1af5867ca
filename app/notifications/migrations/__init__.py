"""Migrations of the notifications branch of the schema."""
