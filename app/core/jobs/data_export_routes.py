"""/users/me/export: a copy of the caller's data."""

from collections.abc import Callable

from flask import Response
from flask_openapi.blueprint import APIBlueprint

from app.core.errors import UnavailableError
from app.core.http.authentication import Authenticator, current_caller
from app.core.http.idempotency import idempotency_key
from app.core.http.json_body import require_json
from app.core.jobs.data_export_job import APART, KIND
from app.core.jobs.routes import JobBody, accepted
from app.core.jobs.service import JobService


def blueprint(service: JobService, authenticator: Authenticator, *, whole: Callable[[], bool]) -> APIBlueprint:
    """Return the blueprint of the caller's data export.

    Args:
        whole: whether this process has all services, and its database all of the data.
    """
    data = APIBlueprint(
        "data_export",
        __name__,
        url_prefix="/api/v1/users/me/export",
        abp_tags=[{"name": "account"}],
        abp_security=[{"bearer": []}],
    )
    authenticator.protect(data)
    data.before_request(require_json)

    @data.post("", responses={202: JobBody}, operation_id="export_my_data")
    def export() -> Response:
        """Export your data as a ZIP file; while an export is under way, returns that job"""
        if not whole():
            raise UnavailableError(APART)
        return accepted(service, service.queue(current_caller().user_id, KIND, key=idempotency_key(), single=True))

    return data
