"""/files: downloads by signed URL."""

from typing import Annotated
from urllib.parse import quote

from flask import Response
from flask_openapi.blueprint import APIBlueprint
from pydantic import BaseModel, Field

from app.core.errors import NotFoundError
from app.core.http.cache_control import SIGNED_ADDRESS
from app.core.http.schemas import RequestModel, identifier
from app.core.http.signed_urls import PREFIX, SignedUrls
from app.core.objects.file_service import NO_SUCH_FILE, FileStore

HEADERS = {
    # A user's HTML or SVG must not run as a page of this origin.
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cache-Control": SIGNED_ADDRESS,
}


class FilePath(BaseModel):
    key: Annotated[str, Field(json_schema_extra={"format": "uuid"})]


class Signed(RequestModel):
    service: Annotated[str, Field(max_length=40)] | None = None
    expires: Annotated[int, Field(ge=0, le=1 << 53)]
    signature: Annotated[str, Field(max_length=100)]


def blueprint(file_store: FileStore, urls: SignedUrls) -> APIBlueprint:
    """File downloads, authorised by the signature in the URL alone."""
    files = APIBlueprint("files", __name__, url_prefix=PREFIX, abp_tags=[{"name": "files"}])

    @files.get("/<key>", responses={200: {"content": {"*/*": {}}}}, operation_id="download_file")
    def download(path: FilePath, query: Signed) -> Response:
        """Download a file by its signed URL"""
        key = identifier(path.key, NO_SUCH_FILE)
        if not urls.verify(key, query.expires, query.signature):
            raise NotFoundError(NO_SUCH_FILE)
        stored, chunks = file_store.open(key)
        response = Response(chunks, mimetype=stored.content_type, headers=HEADERS)
        response.content_length = stored.size
        # The form that can hold any name (RFC 8187): a plain header value is limited to ASCII.
        name = quote(stored.name, safe="")
        response.headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{name}"
        return response

    return files
