"""Ended sessions, in a service whose database has no sessions."""
