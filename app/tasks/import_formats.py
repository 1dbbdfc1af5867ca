"""Import formats: ours, Todoist's, Trello's, Asana's and Jira's, by the names of their columns.

The columns are those of Todoist's CSV templates, of the CSV exports of Trello's boards and Asana's projects, and of
Jira's issue navigator ("Export CSV, all fields"), which gives each label a column.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

FIELDS = ("title", "description", "status", "due_at", "remind_at", "tags", "completed")
"""Task fields that a column can map to. Any value of `completed` except a false one makes the task done; further
columns of `description` are appended, prefixed with their names; several of `tags` are merged."""

COLUMNS = ("title", "description", "status", "due_at", "tags", "remind_at")
"""Columns of this API's exports."""


@dataclass(frozen=True)
class Format:
    """Export format of a tool. Names of columns are in lower case.

    Args:
        signs: columns that identify the format.
        fields: task field by column.
        without: known columns that no task field corresponds to.
        date_format: format of dates, if not RFC 3339.
        rows: a column and its value in rows that are tasks; other rows are skipped.
        escaped: whether texts that look like formulas are prefixed with a quote.
        custom: pattern of further columns without a task field, which differ from team to team.
    """

    signs: Collection[str]
    fields: Mapping[str, str]
    without: Collection[str] = ()
    date_format: str | None = None
    rows: tuple[str, str] | None = None
    escaped: bool = False
    custom: re.Pattern[str] | None = None


TASKS = Format(signs=("title",), fields={name: name for name in COLUMNS}, escaped=True)

FORMATS = {
    "tasks": TASKS,
    "todoist": Format(
        signs=("type", "content"),
        fields={"content": "title", "description": "description", "date": "due_at"},
        without=(
            "type", "is_collapsed", "priority", "indent", "author", "responsible", "date_lang", "timezone", "duration",
            "duration_unit", "deadline", "deadline_lang", "meta",
        ),
        date_format="YYYY-MM-DD",
        rows=("type", "task"),
    ),
    "trello": Format(
        signs=("card id", "card name"),
        fields={
            "card name": "title", "card description": "description", "labels": "tags", "list name": "tags",
            "due date": "due_at", "due complete": "completed", "archived": "completed",
        },
        without=(
            "card id", "card url", "members", "attachment count", "attachment links", "checklist item total count",
            "checklist item completed count", "vote count", "comment count", "last activity date", "list id",
            "board id", "board name", "start date",
        ),
        date_format="YYYY-MM-DD",
    ),
    "asana": Format(
        signs=("task id", "name"),
        fields={
            "name": "title", "notes": "description", "section/column": "tags", "tags": "tags", "due date": "due_at",
            "completed at": "completed",
        },
        without=(
            "task id", "created at", "last modified", "assignee", "assignee email", "start date", "projects",
            "parent task", "blocked by (dependencies)", "blocking (dependencies)",
        ),
        date_format="YYYY-MM-DD",
    ),
    "jira": Format(
        signs=("summary", "issue key"),
        fields={
            "summary": "title", "description": "description", "status": "status", "due date": "due_at",
            "due": "due_at", "labels": "tags",
        },
        without=(
            "issue key", "issue id", "issue type", "parent id", "parent", "parent key", "parent summary", "project key",
            "project name", "project type", "project lead", "project lead id", "project description", "project url",
            "priority", "resolution", "assignee", "assignee id", "reporter", "reporter id", "creator", "creator id",
            "created", "updated", "last viewed", "resolved", "affects versions", "fix versions", "components",
            "log work", "original estimate", "remaining estimate", "time spent", "work ratio", "environment",
            "watchers", "watchers id", "votes", "security level", "attachment", "comment", "sprint", "sub-tasks",
            "linked issues", "status category", "status category changed", "epic link", "epic name",
        ),
        date_format="DD/MMM/YY",
        custom=re.compile(r"(custom field|inward issue link|outward issue link|\u03c3) ?.*"),
    ),
}  # fmt: skip

STATUS_WORDS = {
    "todo": "todo", "to do": "todo", "open": "todo", "new": "todo", "backlog": "todo", "reopened": "todo",
    "in_progress": "in_progress", "in progress": "in_progress", "doing": "in_progress",
    "done": "done", "closed": "done", "resolved": "done", "complete": "done", "completed": "done",
}  # fmt: skip
"""Status by the words of those tools."""
