"""Retention rules of every table."""

from app.analytics.retention import RULES as ANALYTICS
from app.auth.retention import RULES as AUTH
from app.core.database.retention import Rule
from app.core.retention_rules import RULES as CORE
from app.notifications.retention import RULES as NOTIFICATIONS
from app.tasks.retention import RULES as TASKS

RULES: tuple[Rule, ...] = (*AUTH, *TASKS, *NOTIFICATIONS, *ANALYTICS, *CORE)
"""All rules, in the order of application."""
