"""/users/me/export/SERVICE: a service's parts of the copies of the caller's data."""

from uuid import UUID

from flask import Response
from flask_openapi.blueprint import APIBlueprint

from app.core.errors import NotFoundError
from app.core.http.authentication import Authenticator, current_caller
from app.core.jobs.data_export_parts import kind_of
from app.core.jobs.model import Job
from app.core.jobs.routes import JobBody, JobPath, job_body, job_result
from app.core.jobs.service import NO_SUCH_JOB, JobService

PREFIX = "/api/v1/users/me/export"


def part_address(service: str, job: Job) -> str:
    """Return the address of a service's part.

    Args:
        job: makes a part of the same copy.
    """
    return f"{PREFIX}/{service}/{job.id}"


def blueprint(service: str, jobs: JobService, authenticator: Authenticator) -> APIBlueprint:
    """Return the blueprint of a service's parts. Its paths begin with the service, by which a gateway routes."""
    parts = APIBlueprint(
        f"{service}_data_export",
        __name__,
        url_prefix=f"{PREFIX}/{service}",
        abp_tags=[{"name": "account"}],
        abp_security=[{"bearer": []}],
    )
    authenticator.protect(parts)

    @parts.get("/<job_id>", responses={200: JobBody}, operation_id=f"get_my_{service}_data_export")
    def get(path: JobPath) -> Response:
        """Show how far a part of an export of your data is"""
        job = part_of(current_caller().user_id, path)
        return job_body(jobs, job, part_address(service, job)).response()

    @parts.get(
        "/<job_id>/result",
        responses={200: {"content": {"application/zip": {}}}},
        operation_id=f"download_my_{service}_data_export",
    )
    def result(path: JobPath) -> Response:
        """Download a part of an export of your data"""
        user_id = current_caller().user_id
        return job_result(jobs, user_id, part_of(user_id, path).id)

    def part_of(user_id: UUID, path: JobPath) -> Job:
        job = jobs.get(user_id, path.identifier())
        if job.kind != kind_of(service):
            raise NotFoundError(NO_SUCH_JOB)
        return job

    return parts
