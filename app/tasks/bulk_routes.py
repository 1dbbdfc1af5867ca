"""/tasks/bulk and /tags: changes of many tasks."""

from typing import Annotated, Literal
from uuid import UUID

from flask import Response
from flask_openapi.blueprint import APIBlueprint
from pydantic import Field, RootModel

from app.core.http.authentication import Authenticator, current_caller
from app.core.http.idempotency import idempotency_key
from app.core.http.json_body import require_json
from app.core.http.schemas import RequestModel, ResponseModel, Time
from app.tasks.model import Status, Task, TaskPatch, tag_forms
from app.tasks.routes import KnownTags, Tags
from app.tasks.service import TaskService

MOST_TASKS = 100


class Many(RequestModel):
    ids: Annotated[list[UUID], Field(min_length=1, max_length=MOST_TASKS)]


class SetStatus(Many):
    action: Literal["set_status"]
    status: Status

    def change(self, _task: Task) -> TaskPatch:
        return TaskPatch(status=self.status)


class SetDue(Many):
    action: Literal["set_due"]
    due_at: Annotated[Time | None, Field(description="null clears the date")]

    def change(self, _task: Task) -> TaskPatch:
        return TaskPatch(due_at=self.due_at)


class AddTags(Many):
    action: Literal["add_tags"]
    tags: Annotated[Tags, Field(min_length=1)]

    def change(self, task: Task) -> TaskPatch:
        return TaskPatch(tags=tag_forms({*task.tags, *self.tags}))


class RemoveTags(Many):
    action: Literal["remove_tags"]
    tags: Annotated[KnownTags, Field(min_length=1)]

    def change(self, task: Task) -> TaskPatch:
        return TaskPatch(tags=tag_forms(set(task.tags) - set(self.tags)))


class Delete(Many):
    action: Literal["delete"]


AnyChange = Annotated[SetStatus | SetDue | AddTags | RemoveTags | Delete, Field(discriminator="action")]


class BulkChange(RootModel[AnyChange]):
    """An action and the tasks to apply it to."""


class BulkResult(ResponseModel):
    done: list[UUID]
    missing: Annotated[list[UUID], Field(description="Tasks that do not exist")]


class TagBody(ResponseModel):
    name: str
    count: Annotated[int, Field(description="Number of tasks with this tag")]


class TagList(ResponseModel):
    items: list[TagBody]


def blueprint(service: TaskService, authenticator: Authenticator) -> APIBlueprint:
    """Routes of bulk changes and tags of the caller's tasks."""
    many = APIBlueprint(
        "many", __name__, url_prefix="/api/v1", abp_tags=[{"name": "tasks"}], abp_security=[{"bearer": []}]
    )
    authenticator.protect(many, cached=frozenset({"list_tags"}))
    many.before_request(require_json)

    @many.post("/tasks/bulk", responses={200: BulkResult}, operation_id="change_tasks")
    def change_tasks(body: BulkChange) -> Response:
        """Change or delete many tasks, all or none"""
        user_id, key, wanted = current_caller().user_id, idempotency_key(), body.root
        outcome = (
            service.delete_many(user_id, wanted.ids, key)
            if isinstance(wanted, Delete)
            else service.change_many(user_id, wanted.ids, wanted.change, key)
        )
        return BulkResult.model_validate(outcome).response()

    @many.get("/tags", responses={200: TagList}, operation_id="list_tags")
    def list_tags() -> Response:
        """List the tags in use"""
        items = [TagBody.model_validate(tag) for tag in service.tags(current_caller().user_id)]
        return TagList(items=items).response()

    return many
