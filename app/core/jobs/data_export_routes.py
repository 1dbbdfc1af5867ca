"""/users/me/export: copies of the caller's data."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Annotated

from flask import Response
from flask_openapi.blueprint import APIBlueprint
from pydantic import Field

from app.core.http.authentication import Authenticator, current_caller
from app.core.http.idempotency import idempotency_key
from app.core.http.json_body import require_json
from app.core.http.schemas import ResponseModel
from app.core.jobs.data_export_job import KIND
from app.core.jobs.data_export_part_routes import PREFIX, part_address
from app.core.jobs.data_export_service import DataExportService
from app.core.jobs.model import Job
from app.core.jobs.routes import JobBody, job_address, job_body


class DataExportPart(ResponseModel):
    service: str
    url: Annotated[str, Field(description="Where its job is; 404 until its service has heard of the request")]


class DataExportBody(JobBody):
    parts: Annotated[
        list[DataExportPart],
        Field(description="The parts, if the copy is no single file: this job makes the first one, under the same id"),
    ] = Field(default_factory=list)


class DataExportList(ResponseModel):
    items: list[DataExportBody]


def blueprint(exports: DataExportService, authenticator: Authenticator, services: Sequence[str]) -> APIBlueprint:
    """Return the blueprint of the caller's data exports.

    Args:
        services: make the parts.
    """
    data = APIBlueprint(
        "data_export", __name__, url_prefix=PREFIX, abp_tags=[{"name": "account"}], abp_security=[{"bearer": []}]
    )
    authenticator.protect(data)
    data.before_request(require_json)

    @data.post("", responses={202: DataExportBody}, operation_id="export_my_data")
    def export() -> Response:
        """Export your data as a ZIP file, or as one from each service; while it is under way, returns that job"""
        job = exports.request(current_caller().user_id, idempotency_key())
        response = body_of(job).response(HTTPStatus.ACCEPTED)
        response.headers["Location"] = address_of(job)
        return response

    @data.get("", responses={200: DataExportList}, operation_id="list_my_data_exports")
    def find() -> Response:
        """List the latest exports of your data, the newest first"""
        return DataExportList(items=[body_of(job) for job in exports.find(current_caller().user_id)]).response()

    def address_of(job: Job) -> str:
        return job_address(job) if job.kind == KIND else part_address(exports.service, job)

    def body_of(job: Job) -> DataExportBody:
        makers = [] if job.kind == KIND else services
        parts = [DataExportPart(service=name, url=part_address(name, job)) for name in makers]
        return DataExportBody(**vars(job_body(exports.jobs, job, address_of(job))), parts=parts)

    return data
