"""Migrations of the tables that every database has."""
