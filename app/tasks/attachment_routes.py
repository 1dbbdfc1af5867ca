"""/tasks/…/attachments: files of a task."""

from datetime import datetime
from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from flask import Response, request
from flask_openapi.blueprint import APIBlueprint
from pydantic import Field

from app.core.http.authentication import Authenticator, current_caller
from app.core.http.idempotency import digest_of, idempotency_key
from app.core.http.schemas import ResponseModel, identifier
from app.core.http.signed_urls import SignedUrls
from app.core.http.uploads import FILE_BODY, require_form, uploaded
from app.tasks.attachments import NO_SUCH_ATTACHMENT, AttachmentService
from app.tasks.model import Attachment
from app.tasks.routes import PREFIX, TaskPath

LIMIT = 10 << 20
"""Bytes per file: 10 MiB."""


class AttachmentPath(TaskPath):
    attachment_id: Annotated[str, Field(json_schema_extra={"format": "uuid"})]


class AttachmentBody(ResponseModel):
    id: UUID
    name: str
    size: int
    content_type: Annotated[str, Field(description="Detected from the content")]
    created_at: datetime
    url: Annotated[str, Field(description="Signed download URL, valid for at least an hour")]


class AttachmentList(ResponseModel):
    items: list[AttachmentBody]


def blueprint(service: AttachmentService, authenticator: Authenticator, urls: SignedUrls) -> APIBlueprint:
    """Routes of attachments of the caller's tasks."""
    attachments = APIBlueprint(
        "attachments", __name__, url_prefix=PREFIX, abp_tags=[{"name": "files"}], abp_security=[{"bearer": []}]
    )
    authenticator.protect(attachments)

    def body(attachment: Attachment) -> AttachmentBody:
        return AttachmentBody.model_validate({**vars(attachment), "url": urls.url_for(attachment.id)})

    @attachments.before_request
    def check_body() -> Response | None:
        return require_form() if request.method == "POST" else None

    @attachments.post(
        "/<task_id>/attachments",
        request_body=FILE_BODY,
        responses={201: AttachmentBody},
        operation_id="add_attachment",
    )
    def add(path: TaskPath) -> Response:
        """Attach a file of up to 10 MiB to a task"""
        upload = uploaded(LIMIT)
        key = idempotency_key(digest_of(upload.file, upload.name))
        attachment = service.add(current_caller().user_id, path.identifier(), upload, key)
        response = body(attachment).response(HTTPStatus.CREATED)
        response.headers["Location"] = f"{PREFIX}/{attachment.task_id}/attachments/{attachment.id}"
        return response

    @attachments.get("/<task_id>/attachments", responses={200: AttachmentList}, operation_id="list_attachments")
    def list_attachments(path: TaskPath) -> Response:
        """List the files of a task"""
        found = service.of_task(current_caller().user_id, path.identifier())
        return AttachmentList(items=[body(attachment) for attachment in found]).response()

    @attachments.get(
        "/<task_id>/attachments/<attachment_id>", responses={200: AttachmentBody}, operation_id="get_attachment"
    )
    def get(path: AttachmentPath) -> Response:
        """Show a file of a task, with its download URL"""
        attachment_id = identifier(path.attachment_id, NO_SUCH_ATTACHMENT)
        return body(service.get(current_caller().user_id, path.identifier(), attachment_id)).response()

    @attachments.delete(
        "/<task_id>/attachments/<attachment_id>", responses={204: None}, operation_id="delete_attachment"
    )
    def delete(path: AttachmentPath) -> Response:
        """Delete a file of a task"""
        attachment_id = identifier(path.attachment_id, NO_SUCH_ATTACHMENT)
        service.delete(current_caller().user_id, path.identifier(), attachment_id)
        return Response(status=HTTPStatus.NO_CONTENT)

    return attachments
