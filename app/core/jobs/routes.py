"""/jobs: state and results of background jobs."""

from datetime import datetime
from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from flask import Response, stream_with_context
from flask_openapi.blueprint import APIBlueprint
from pydantic import BaseModel, Field

from app.core.http.authentication import Authenticator, current_caller
from app.core.http.idempotency import idempotency_key
from app.core.http.json_body import require_json
from app.core.http.schemas import RequestModel, ResponseModel, identifier
from app.core.jobs.model import MOST_REFUSED_LINES, Job, JobKind, State
from app.core.jobs.service import NO_SUCH_JOB, JobService
from app.core.pagination import page_of

PREFIX = "/api/v1"

Limit = Annotated[int, Field(ge=1, le=100)]


class JobPath(BaseModel):
    job_id: Annotated[str, Field(json_schema_extra={"format": "uuid"})]

    def identifier(self) -> UUID:
        return identifier(self.job_id, NO_SUCH_JOB)


class JobBody(ResponseModel):
    id: UUID
    kind: str
    state: State
    done: Annotated[int, Field(description="Lines or tasks so far")]
    total: int | None
    refused: Annotated[int, Field(description="Lines that were refused so far")]
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    error: Annotated[str | None, Field(description="Why it has failed, or why it will be tried again")]
    ignored_columns: Annotated[list[str], Field(description="Columns that an import leaves out")] = Field(
        default_factory=list
    )
    result_url: Annotated[str | None, Field(description="Where its result is, once there is one")] = None


class JobPage(ResponseModel):
    items: list[JobBody]
    next_cursor: UUID | None


class JobParameters(RequestModel):
    limit: Limit = 20
    cursor: Annotated[UUID | None, Field(description="`next_cursor` of the page before")] = None


class RefusedLine(ResponseModel):
    line: Annotated[int, Field(description="Its number in the file, from 1")]
    reason: str
    text: Annotated[str, Field(description="How it begins")]


class RefusedPage(ResponseModel):
    items: list[RefusedLine]
    next_cursor: int | None
    unlisted: Annotated[int, Field(description="How many more were refused: only the first 10,000 are listed")]


class RefusedParameters(RequestModel):
    limit: Limit = 100
    cursor: Annotated[int, Field(ge=0, le=1 << 53, description="`next_cursor` of the page before")] = 0


def blueprint(service: JobService, authenticator: Authenticator) -> APIBlueprint:
    """Return the blueprint of the caller's jobs."""
    jobs = APIBlueprint("jobs", __name__, url_prefix=PREFIX, abp_tags=[{"name": "jobs"}], abp_security=[{"bearer": []}])
    authenticator.protect(jobs)

    jobs.before_request(require_json)

    @jobs.get("/jobs", responses={200: JobPage}, operation_id="list_jobs")
    def list_jobs(query: JobParameters) -> Response:
        """List jobs, the newest first"""
        user_id = current_caller().user_id
        found, last = page_of(query.limit, lambda most: service.find(user_id, query.cursor, most))
        items = [job_body(service, job, job_address(job)) for job in found]
        return JobPage(items=items, next_cursor=last.id if last else None).response()

    @jobs.get("/jobs/<job_id>", responses={200: JobBody}, operation_id="get_job")
    def get(path: JobPath) -> Response:
        """Show a job"""
        job = service.get(current_caller().user_id, path.identifier())
        return job_body(service, job, job_address(job)).response()

    @jobs.post("/jobs/<job_id>/cancel", responses={202: JobBody}, operation_id="cancel_job")
    def cancel(path: JobPath) -> Response:
        """Cancel a job; what it has done so far is not undone"""
        return accepted(service, service.cancel(current_caller().user_id, path.identifier()))

    @jobs.post("/jobs/<job_id>/resume", responses={202: JobBody}, operation_id="resume_job")
    def resume(path: JobPath) -> Response:
        """Resume a cancelled or failed job from its last checkpoint"""
        return accepted(service, service.resume(current_caller().user_id, path.identifier(), idempotency_key()))

    @jobs.get("/jobs/<job_id>/refused", responses={200: RefusedPage}, operation_id="list_refused_lines")
    def refused(path: JobPath, query: RefusedParameters) -> Response:
        """List the lines that an import has rejected, each with its reason"""
        user_id, job_id = current_caller().user_id, path.identifier()
        found, last = page_of(query.limit, lambda most: service.refused_lines(user_id, job_id, query.cursor, most))
        items = [RefusedLine(line=line, reason=reason, text=text) for line, reason, text in found]
        unlisted = max(service.get(user_id, job_id).refused - MOST_REFUSED_LINES, 0)
        return RefusedPage(items=items, next_cursor=last[0] if last else None, unlisted=unlisted).response()

    @jobs.get(
        "/jobs/<job_id>/result",
        responses={200: {"content": {kind.media_type: {} for kind in service.kinds.values() if kind.media_type}}},
        operation_id="download_job_result",
    )
    def result(path: JobPath) -> Response:
        """Download the result of an export"""
        return job_result(service, current_caller().user_id, path.identifier())

    return jobs


def job_address(job: Job) -> str:
    """Return the address of a job."""
    return f"{PREFIX}/jobs/{job.id}"


def accepted(service: JobService, job: Job) -> Response:
    """Return the response to a request for a job: 202, with the job's address in `Location`."""
    address = job_address(job)
    response = job_body(service, job, address).response(HTTPStatus.ACCEPTED)
    response.headers["Location"] = address
    return response


def job_body(service: JobService, job: Job, address: str) -> JobBody:
    """Return the body of a job that is shown at an address."""
    body = JobBody.model_validate(job)
    kind = service.kinds.get(job.kind, JobKind())
    details = kind.details(job)
    if kind.media_type and job.state is State.SUCCEEDED:
        details["result_url"] = f"{address}/result"
    return body.model_copy(update=details)


def job_result(service: JobService, user_id: UUID, job_id: UUID) -> Response:
    """Return the response with the result of a user's job. Raises NotFoundError."""
    job, size, chunks = service.result(user_id, job_id)
    kind = service.kinds[job.kind]
    response = Response(stream_with_context(chunks), mimetype=kind.media_type)
    response.content_length = size
    response.headers["Content-Disposition"] = f'attachment; filename="{kind.file_name}"'
    return response
