"""/tasks/imports and /tasks/exports: many tasks in and out, as CSV."""

from typing import Annotated, Any

from flask import Response, request
from flask_openapi.blueprint import APIBlueprint
from pydantic import Field
from werkzeug.formparser import FormDataParser
from werkzeug.http import parse_options_header

from app.api.body import require_json
from app.api.guard import Guard, principal
from app.api.idempotency import idempotency_key
from app.api.jobs import JobBody, accepted
from app.api.schemas import Strict
from app.api.tasks import KnownTag, SearchText
from app.api.uploads import FILE_BODY, require_form
from app.jobs.service import JobService, Upload
from app.platform.errors import InvalidError
from app.services.tasks.model import Status

COMPRESSED = (b"PK\x03\x04", b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"\x28\xb5\x2f\xfd")
"""How zip, gzip, bzip2, xz and zstd begin. Nothing is unpacked here, so nothing can grow."""


class ExportRequest(Strict):
    status: Annotated[Status | None, Field(description="Only tasks in this state")] = None
    q: Annotated[SearchText | None, Field(description="Text in title or description, in any case")] = None
    tag: Annotated[KnownTag | None, Field(description="Only tasks with this tag")] = None


def blueprint(service: JobService, guard: Guard, import_bytes: int) -> APIBlueprint:
    """Imports and exports of who asks."""
    transfers = APIBlueprint(
        "transfers", __name__, url_prefix="/api/v1/tasks", abp_tags=[{"name": "jobs"}], abp_security=[{"bearer": []}]
    )
    guard.protect(transfers)

    @transfers.before_request
    def check_body() -> Response | None:
        return require_form() if request.endpoint == "transfers.import_tasks" else require_json()

    @transfers.post("/imports", request_body=FILE_BODY, responses={202: JobBody}, operation_id="import_tasks")
    def import_tasks() -> Response:
        """Import tasks from a CSV file; its first line names the columns: title, description, status, due_at, tags"""
        upload = _receive(service, import_bytes)
        key = idempotency_key(upload.digest.hexdigest())
        return accepted(service.queue(principal().user_id, "import", upload=upload, key=key))

    @transfers.post("/exports", responses={202: JobBody}, operation_id="export_tasks")
    def export_tasks(body: ExportRequest) -> Response:
        """Export tasks to a CSV file"""
        parameters = body.model_dump(mode="json", exclude_none=True)
        return accepted(service.queue(principal().user_id, "export", parameters, key=idempotency_key()))

    return transfers


def _receive(service: JobService, limit: int) -> Upload:
    """Store the uploaded file as it comes. Raises InvalidError if there is not exactly one, or it is compressed."""
    request.max_content_length = limit
    uploads: list[Upload] = []

    def begin(
        total_content_length: int | None,  # noqa: ARG001 the parser names these
        content_type: str | None,  # noqa: ARG001
        filename: str | None,  # noqa: ARG001
        content_length: int | None = None,  # noqa: ARG001
    ) -> Any:
        uploads.append(service.upload())
        return Sink(uploads[-1])

    parser = FormDataParser(stream_factory=begin, max_form_memory_size=1 << 18, max_form_parts=2)
    options = parse_options_header(request.content_type)[1]
    try:
        _, form, files = parser.parse(request.stream, request.mimetype, request.content_length, options)
        _check(uploads, [*form, *files])
        uploads[0].close()
    except BaseException:
        for upload in uploads:
            upload.discard()
        raise
    return uploads[0]


def _check(uploads: list[Upload], fields: list[str]) -> None:
    if fields != ["file"] or len(uploads) != 1:
        raise InvalidError("file", "must be one file, and nothing beside it")
    if not uploads[0].size:
        raise InvalidError("file", "must not be empty")


class Sink:
    """A file as the form parser writes it."""

    def __init__(self, upload: Upload) -> None:
        self._upload = upload

    def write(self, data: bytes) -> int:
        if not self._upload.size and data.startswith(COMPRESSED):
            raise InvalidError("file", "must be plain CSV, not compressed")
        return self._upload.write(data)

    def seek(self, _position: int) -> None:
        """Be told that the file is complete."""
