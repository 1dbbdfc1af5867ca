"""Retention rules of every table."""

from app.bootstrap.container import build, sample_settings

RULES = build(sample_settings()).background.rules
"""As the application applies them."""
