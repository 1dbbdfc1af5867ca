"""/tasks: create, read, update, delete, list."""

from dataclasses import replace
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any
from uuid import UUID

from flask import Response
from flask_openapi.blueprint import APIBlueprint
from pydantic import BaseModel, ConfigDict, Field, model_validator

from app.core.http.authentication import Authenticator, current_caller
from app.core.http.conditional import expected_versions, versioned
from app.core.http.idempotency import idempotency_key
from app.core.http.json_body import require_json
from app.core.http.schemas import (
    MultilineText,
    RequestModel,
    ResponseModel,
    SingleLineText,
    Time,
    drop_default,
    identifier,
)
from app.tasks.cursors import Cursors
from app.tasks.model import (
    LONGEST_DESCRIPTION,
    LONGEST_TAG,
    LONGEST_TITLE,
    MOST_TAGS,
    Status,
    TaskCreate,
    TaskPatch,
    tag_form,
    tag_forms,
)
from app.tasks.query import Filters, Query, Sort
from app.tasks.service import NO_SUCH_TASK, TaskService

PREFIX = "/api/v1/tasks"

Title = Annotated[str, SingleLineText(LONGEST_TITLE)]
Cursor = Annotated[str, Field(max_length=2000)]
Description = Annotated[str, MultilineText(LONGEST_DESCRIPTION)]
SearchText = Annotated[str, MultilineText(200)]


class TagText(SingleLineText):
    """A tag, normalised by `tag_form` before its length is checked."""

    def normalise(self, text: str) -> str:
        return tag_form(text)


Tag = Annotated[str, TagText(LONGEST_TAG)]
KnownTag = Annotated[str, TagText(3 * LONGEST_TAG)]
"""An existing tag: of releases that checked the length before case folding, which makes up to three characters of one
(`ΐ`)."""
Tags = Annotated[list[Tag], Field(max_length=MOST_TAGS)]
KnownTags = Annotated[list[KnownTag], Field(max_length=MOST_TAGS)]


class NewTask(RequestModel):
    title: Title
    description: Description = ""
    status: Status = Status.TODO
    due_at: Time | None = None
    remind_at: Annotated[Time | None, Field(description="Time of the reminder")] = None
    tags: Tags = Field(default_factory=list)


class TaskChange(RequestModel):
    """Fields that are absent stay unchanged; null clears a date."""

    title: Title = Field(default="", json_schema_extra=drop_default)
    description: Description = Field(default="", json_schema_extra=drop_default)
    status: Status = Field(default=Status.TODO, json_schema_extra=drop_default)
    due_at: Time | None = Field(default=None, json_schema_extra=drop_default)
    remind_at: Time | None = Field(default=None, json_schema_extra=drop_default)
    tags: KnownTags = Field(default=[], json_schema_extra=drop_default)


class TaskBody(ResponseModel):
    id: UUID
    title: str
    description: str
    status: Status
    due_at: datetime | None
    remind_at: datetime | None
    created_at: datetime
    updated_at: datetime
    version: int
    tags: list[str]
    attachments: Annotated[int, Field(description="Number of attachments")]


class TaskPage(ResponseModel):
    items: list[TaskBody]
    next_cursor: Annotated[str | None, Field(description="Fetches the next page; null on the last one")]


class TaskPath(BaseModel):
    # A plain string: a malformed id gets the same 404 as an unknown one.
    task_id: Annotated[str, Field(json_schema_extra={"format": "uuid"})]

    def identifier(self) -> UUID:
        return identifier(self.task_id, NO_SUCH_TASK)


def _may_be_empty(schema: dict[str, Any]) -> None:
    """Allow each parameter to be empty, in the schema."""
    for name, field in schema["properties"].items():
        words = {key: field.pop(key) for key in ("title", "description", "default") if key in field}
        schema["properties"][name] = {**words, "anyOf": [*field.get("anyOf", [field]), {"const": ""}]}


class ListParameters(RequestModel):
    model_config = ConfigDict(json_schema_extra=_may_be_empty)

    status: Annotated[Status | None, Field(description="Only tasks in this state")] = None
    q: Annotated[SearchText | None, Field(description="Text in title or description, in any case")] = None
    tag: Annotated[KnownTag | None, Field(description="Only tasks with this tag, in any case")] = None
    due_after: Annotated[Time | None, Field(description="Due at this time or later")] = None
    due_before: Annotated[Time | None, Field(description="Due earlier than this time")] = None
    sort: Annotated[Sort, Field(description="Order; `-` reverses it; undated tasks come last")] = Sort.CREATED_DOWN
    limit: Annotated[int, Field(ge=1, le=100)] = 20
    cursor: Annotated[Cursor | None, Field(description="`next_cursor` of the page before")] = None

    @model_validator(mode="before")
    @classmethod
    def _drop_empty(cls, values: Any) -> Any:
        """Treat an empty parameter (`status=&q=`) as absent, as plain HTML forms send it."""
        return {name: value for name, value in values.items() if value != ""} if isinstance(values, dict) else values


def blueprint(service: TaskService, authenticator: Authenticator, cursors: Cursors) -> APIBlueprint:
    """Routes of the caller's tasks."""
    tasks = APIBlueprint(
        "tasks", __name__, url_prefix=PREFIX, abp_tags=[{"name": "tasks"}], abp_security=[{"bearer": []}]
    )
    authenticator.protect(tasks, cached=frozenset({"list_tasks"}))
    tasks.before_request(require_json)

    @tasks.post("", responses={201: TaskBody}, operation_id="create_task")
    def create(body: NewTask) -> Response:
        """Create a task"""
        draft = TaskCreate(body.title, body.description, body.status, body.due_at, tag_forms(body.tags), body.remind_at)
        task = service.create(current_caller().user_id, draft, idempotency_key())
        response = TaskBody.model_validate(task).response(HTTPStatus.CREATED)
        response.set_etag(str(task.version))
        response.headers["Location"] = f"{PREFIX}/{task.id}"
        return response

    @tasks.get("", responses={200: TaskPage}, operation_id="list_tasks")
    def list_tasks(query: ListParameters) -> Response:
        """List tasks, a page at a time"""
        user_id = current_caller().user_id
        filters = Filters(query.status, query.q, query.due_after, query.due_before, query.tag)
        wanted = Query(filters, query.sort, query.limit)
        if query.cursor:
            wanted = replace(wanted, after=cursors.decode(user_id, wanted, query.cursor))
        page = service.page(user_id, wanted)
        items = [TaskBody.model_validate(task) for task in page.items]
        following = cursors.encode(user_id, wanted, page.next) if page.next else None
        return TaskPage(items=items, next_cursor=following).response()

    @tasks.get("/<task_id>", responses={200: TaskBody}, operation_id="get_task")
    def get(path: TaskPath) -> Response:
        """Show a task"""
        task = service.get(current_caller().user_id, path.identifier())
        return versioned(TaskBody.model_validate(task).response(), task.version)

    @tasks.patch("/<task_id>", responses={200: TaskBody}, operation_id="update_task")
    def update(path: TaskPath, body: TaskChange) -> Response:
        """Change a task"""
        given = {name: getattr(body, name) for name in body.model_fields_set}
        if "tags" in given:
            given["tags"] = tag_forms(given["tags"])
        task = service.update(
            current_caller().user_id, path.identifier(), TaskPatch(**given), expected_versions(), idempotency_key()
        )
        response = TaskBody.model_validate(task).response()
        response.set_etag(str(task.version))
        return response

    @tasks.delete("/<task_id>", responses={204: None}, operation_id="delete_task")
    def delete(path: TaskPath) -> Response:
        """Delete a task"""
        service.delete(current_caller().user_id, path.identifier(), expected_versions())
        return Response(status=HTTPStatus.NO_CONTENT)

    return tasks
