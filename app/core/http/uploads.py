"""File uploads as multipart forms: one file a request, limited in size, its type detected from the content."""

import os
from http import HTTPStatus

from flask import Response, request
from flask_openapi.models.data_type import DataType
from flask_openapi.models.media_type import MediaType
from flask_openapi.models.request_body import RequestBody
from flask_openapi.models.schema import Schema
from werkzeug.exceptions import RequestEntityTooLarge

from app.core.errors import InvalidError
from app.core.http.problems import problem
from app.core.objects.content import SEEN, content_type
from app.core.objects.model import Upload
from app.core.objects.names import safe_name

FRAME = 1 << 16
"""Bytes allowed for the multipart framing around the file."""

FILE_BODY = RequestBody(
    content={
        "multipart/form-data": MediaType(
            schema=Schema(
                type=DataType.OBJECT,
                required=["file"],
                properties={"file": Schema(type=DataType.STRING, format="binary", minLength=1)},
                additionalProperties=False,
            )
        )
    },
    required=True,
)
"""The request body in the OpenAPI document."""


def require_form() -> Response | None:
    """Reject a body that is not multipart, or compressed: without decompression there is no bomb."""
    if request.mimetype != "multipart/form-data" or "Content-Encoding" in request.headers:
        return problem(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "The body must be multipart/form-data, not compressed.")
    return None


def uploaded(limit: int) -> Upload:
    """Return the uploaded file. A large one is spooled to disk, not held in memory, until the request ends.

    Args:
        limit: maximum size, bytes.

    Raises:
        RequestEntityTooLarge: the file is larger.
        InvalidError: the form does not hold exactly one file, or the file is empty.
    """
    request.max_content_length = limit + FRAME
    request.max_form_parts = 2
    fields = [*request.form, *(name for name, _ in request.files.items(multi=True))]
    if fields != ["file"] or not request.files:
        raise InvalidError("file", "must be one file, and nothing beside it")
    file = request.files["file"]
    size = file.stream.seek(0, os.SEEK_END)
    if size > limit:
        raise RequestEntityTooLarge(f"The file has more than {limit} bytes.")
    if not size:
        raise InvalidError("file", "must not be empty")
    file.stream.seek(0)
    kind = content_type(file.stream.read(SEEN))
    file.stream.seek(0)
    return Upload(file.stream, size, safe_name(file.filename or ""), kind)
