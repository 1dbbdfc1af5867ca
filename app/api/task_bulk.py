"""/tasks/bulk and /tags: many tasks at once."""

from collections.abc import Callable
from enum import StrEnum
from typing import Annotated, Self
from uuid import UUID

from flask import Response
from flask_openapi.blueprint import APIBlueprint
from pydantic import Field, model_validator

from app.api.body import require_json
from app.api.conditions import once_key
from app.api.guard import Guard, principal
from app.api.schemas import Shown, Strict, Time
from app.api.tasks import Tags
from app.services.tasks.model import Change, Status, Task, tag_forms
from app.services.tasks.service import TaskService

MOST_TASKS = 100


class Action(StrEnum):
    SET_STATUS = "set_status"
    SET_DUE = "set_due"
    ADD_TAGS = "add_tags"
    REMOVE_TAGS = "remove_tags"
    DELETE = "delete"


NEEDS = {
    Action.SET_STATUS: "status",
    Action.SET_DUE: "due_at",
    Action.ADD_TAGS: "tags",
    Action.REMOVE_TAGS: "tags",
    Action.DELETE: None,
}
"""The field that says what an action is to do; it and no other has to be there."""


class BulkChange(Strict):
    ids: Annotated[list[UUID], Field(min_length=1, max_length=MOST_TASKS)]
    action: Action
    status: Annotated[Status | None, Field(description="For `set_status`")] = None
    due_at: Annotated[Time | None, Field(description="For `set_due`; null clears the date")] = None
    tags: Annotated[Tags | None, Field(min_length=1, description="For `add_tags` and `remove_tags`")] = None

    @model_validator(mode="after")
    def _fits(self) -> Self:
        needed = NEEDS[self.action]
        given = self.model_fields_set - {"ids", "action"}
        if given != ({needed} if needed else set()):
            raise ValueError(f"{self.action} needs {needed or 'nothing'}, and no other field")
        if needed in {"status", "tags"} and getattr(self, needed) is None:
            raise ValueError(f"{needed} must not be null")
        return self

    def change(self) -> Callable[[Task], Change]:
        """Return what the action makes of a task."""
        wanted = set(self.tags or ())
        match self.action:
            case Action.SET_STATUS:
                status = self.status
                assert status is not None  # noqa: S101 the validator has seen to it
                return lambda _task: Change(status=status)
            case Action.SET_DUE:
                return lambda _task: Change(due_at=self.due_at)
            case Action.ADD_TAGS:
                return lambda task: Change(tags=tag_forms({*task.tags, *wanted}))
            case _:
                return lambda task: Change(tags=tag_forms(set(task.tags) - wanted))


class BulkResult(Shown):
    done: list[UUID]
    missing: Annotated[list[UUID], Field(description="Those that are not there")]


class TagBody(Shown):
    name: str
    count: Annotated[int, Field(description="How many tasks have it")]


class TagList(Shown):
    items: list[TagBody]


def blueprint(service: TaskService, guard: Guard) -> APIBlueprint:
    """Many of the tasks of who asks."""
    many = APIBlueprint(
        "many", __name__, url_prefix="/api/v1", abp_tags=[{"name": "tasks"}], abp_security=[{"bearer": []}]
    )
    guard.protect(many, kept=frozenset({"list_tags"}))
    many.before_request(require_json)

    @many.post("/tasks/bulk", responses={200: BulkResult}, operation_id="change_tasks")
    def change_tasks(body: BulkChange) -> Response:
        """Change or delete many tasks, all or none"""
        user_id, key = principal().user_id, once_key()
        outcome = (
            service.delete_many(user_id, body.ids, key)
            if body.action is Action.DELETE
            else service.change_many(user_id, body.ids, body.change(), key)
        )
        return BulkResult.model_validate(outcome).response()

    @many.get("/tags", responses={200: TagList}, operation_id="list_tags")
    def list_tags() -> Response:
        """List the tags in use"""
        items = [TagBody.model_validate(tag) for tag in service.tags(principal().user_id)]
        return TagList(items=items).response()

    return many
