"""Import formats: ours, Todoist's, Trello's, Asana's and Jira's, by the names of their columns.

The columns are those of Todoist's CSV templates, of the CSV exports of Trello's boards and Asana's projects, and of
Jira's issue navigator ("Export CSV, all fields"), which gives each label a column.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

FIELDS = ("title", "description", "status", "due_at", "remind_at", "tags", "completed")
"""What a column can become. With anything in `completed`, but for no and false, the task is done; a further column for
the description is added to it with its name before it; several for the tags are put together."""

COLUMNS = ("title", "description", "status", "due_at", "tags", "remind_at")
"""Columns of our own exports."""


@dataclass(frozen=True)
class Format:
    """The export of a tool.

    Args:
        signs: columns that it always has.
        fields: what its columns become, by name in lower case.
        without: columns that it has and a task has no place for.
        date_format: how it writes days, where that is not RFC 3339.
        rows: the name of a column, and what it says in rows that are tasks; other rows are left out.
        escaped: whether texts that look like formulas have a quote before them.
        custom: further columns that each team's export has others of, and a task has no place for either.
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
"""States as those tools name them."""
