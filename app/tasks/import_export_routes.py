"""/tasks/imports and /tasks/exports: CSV import and export."""

from typing import Annotated, Any

from flask import Response, request
from flask_openapi.blueprint import APIBlueprint
from pydantic import Field
from werkzeug.formparser import FormDataParser
from werkzeug.http import parse_options_header

from app.core.errors import InvalidError
from app.core.http.authentication import Authenticator, current_caller
from app.core.http.idempotency import HEADER, idempotency_key
from app.core.http.json_body import require_json
from app.core.http.schemas import RequestModel
from app.core.http.uploads import FILE_BODY, FRAME, require_form, uploaded
from app.core.jobs.routes import JobBody, accepted
from app.core.jobs.service import JobService, Upload
from app.tasks.import_options import ImportParameters, ImportPreview, preview_body
from app.tasks.import_plan import HEAD, Options, Plan, check, plan_of
from app.tasks.import_preview import preview
from app.tasks.model import Status
from app.tasks.routes import KnownTag, SearchText

COMPRESSED = (b"PK\x03\x04", b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"\x28\xb5\x2f\xfd")
"""Magic numbers of zip, gzip, bzip2, xz and zstd. Nothing is decompressed, so there are no decompression bombs."""


NOT_COMPRESSED = "must be plain CSV, not compressed"


class ExportRequest(RequestModel):
    status: Annotated[Status | None, Field(description="Only tasks in this state")] = None
    q: Annotated[SearchText | None, Field(description="Text in title or description, in any case")] = None
    tag: Annotated[KnownTag | None, Field(description="Only tasks with this tag")] = None
    byte_order_mark: Annotated[
        bool, Field(strict=True, description="Begin with a byte order mark, by which Excel detects UTF-8")
    ] = False


def blueprint(service: JobService, authenticator: Authenticator, import_bytes: int) -> APIBlueprint:
    """Routes of the caller's imports and exports."""
    transfers = APIBlueprint(
        "transfers", __name__, url_prefix="/api/v1/tasks", abp_tags=[{"name": "jobs"}], abp_security=[{"bearer": []}]
    )
    authenticator.protect(transfers)

    @transfers.before_request
    def check_body() -> Response | None:
        return require_json() if request.endpoint == "transfers.export_tasks" else require_form()

    @transfers.post("/imports", request_body=FILE_BODY, responses={202: JobBody}, operation_id="import_tasks")
    def import_tasks(query: ImportParameters) -> Response:
        """Import tasks from a CSV file: an export of this API, or of Todoist, Trello, Asana or Jira"""
        user_id, limit = current_caller().user_id, import_bytes
        if HEADER not in request.headers:  # with a key, the response may be that of an earlier request
            limit = min(limit, service.room_for_import(user_id))
        upload, plan = _receive(service, limit, query.options())
        key = idempotency_key(upload.digest.hexdigest())
        return accepted(service, service.queue(user_id, "import", {"plan": plan.parameters()}, upload, key))

    @transfers.post(
        "/imports/preview", request_body=FILE_BODY, responses={200: ImportPreview}, operation_id="preview_import"
    )
    def preview_import(query: ImportParameters) -> Response:
        """Preview an import from the first 262,144 bytes of a CSV file; nothing is stored"""
        head = uploaded(HEAD).file.read()
        if head.startswith(COMPRESSED):
            raise InvalidError("file", NOT_COMPRESSED)
        return preview_body(preview(head, query.options())).response()

    @transfers.post("/exports", responses={202: JobBody}, operation_id="export_tasks")
    def export_tasks(body: ExportRequest) -> Response:
        """Export tasks to a CSV file"""
        parameters = body.model_dump(mode="json", exclude_none=True)
        return accepted(service, service.queue(current_caller().user_id, "export", parameters, key=idempotency_key()))

    return transfers


def _receive(service: JobService, limit: int, options: Options) -> tuple[Upload, Plan]:
    """Stream the uploaded file into storage and plan its import.

    Raises:
        InvalidError: there is not exactly one file, it is compressed, or its columns can't be mapped to tasks.
    """
    request.max_content_length = limit + FRAME
    sinks: list[Sink] = []

    def begin(
        total_content_length: int | None,  # noqa: ARG001 parameters of the parser's interface
        content_type: str | None,  # noqa: ARG001
        filename: str | None,  # noqa: ARG001
        content_length: int | None = None,  # noqa: ARG001
    ) -> Any:
        sinks.append(Sink(service.upload(), options))
        return sinks[-1]

    parser = FormDataParser(stream_factory=begin, max_form_memory_size=1 << 18, max_form_parts=2)
    boundary = parse_options_header(request.content_type)[1]
    try:
        _, form, files = parser.parse(request.stream, request.mimetype, request.content_length, boundary)
        return _only(sinks, [*form, *files]).finish()
    except BaseException:
        for sink in sinks:
            sink.upload.discard()
        raise


def _only(sinks: "list[Sink]", fields: list[str]) -> "Sink":
    if fields != ["file"] or len(sinks) != 1:
        raise InvalidError("file", "must be one file, and nothing beside it")
    return sinks[0]


class Sink:
    """File object for the form parser; validates the file once its head has arrived, not after two gigabytes."""

    def __init__(self, upload: Upload, options: Options) -> None:
        self.upload = upload
        self._options = options
        self._head = bytearray()
        self._plan: Plan | None = None

    def write(self, data: bytes) -> int:
        if not self.upload.size and data.startswith(COMPRESSED):
            raise InvalidError("file", NOT_COMPRESSED)
        if self._plan is None:
            self._head += data[: HEAD - len(self._head)]
            if len(self._head) == HEAD:
                self._plan = self._make_plan()
        return self.upload.write(data)

    def finish(self) -> tuple[Upload, Plan]:
        """Store the rest of the file; return the upload and its import plan. Raises InvalidError."""
        if not self.upload.size:
            raise InvalidError("file", "must not be empty")
        plan = self._plan or self._make_plan()
        self.upload.close()
        return self.upload, plan

    def _make_plan(self) -> Plan:
        plan = plan_of(bytes(self._head), self._options)
        check(plan, self._options)
        return plan

    def seek(self, _position: int) -> None:
        """Called by the parser at the end of the file; nothing to do."""
