"""/reports: the weekly report as HTML or PDF."""

import re
from typing import Annotated, Any, Literal

from flask import Response, request
from flask_openapi.blueprint import APIBlueprint
from pydantic import BeforeValidator, Field, WithJsonSchema

from app.analytics.report import ReportService
from app.analytics.report_html import POLICY, page
from app.analytics.report_pdf import pdf
from app.analytics.week import Week
from app.core.http.authentication import Authenticator, current_caller
from app.core.http.schemas import RequestModel

HTML, PDF = "text/html", "application/pdf"
WEEK = re.compile(r"(19[7-9]\d|2\d{3})-W(0[1-9]|[1-4]\d|5[0-3])", re.ASCII)


def parse_week(value: Any) -> Any:
    """Parse an ISO week. Raises ValueError with a message for the client."""
    if not isinstance(value, str) or not WEEK.fullmatch(value):
        raise ValueError("must be a week since 1970, like 2030-W05 (ISO 8601)")
    try:
        return Week.parse(value)
    except ValueError:
        raise ValueError("is not a week that exists") from None


class ReportParameters(RequestModel):
    week: Annotated[
        Week | None,
        BeforeValidator(parse_week),
        WithJsonSchema({"type": "string", "pattern": f"^{WEEK.pattern}$"}),
        Field(description="ISO 8601; by default the current week"),
    ] = None
    format: Annotated[Literal["html", "pdf"] | None, Field(description="By default negotiated by `Accept`")] = None


def blueprint(service: ReportService, authenticator: Authenticator) -> APIBlueprint:
    """Routes of the caller's reports."""
    reports = APIBlueprint(
        "reports",
        __name__,
        url_prefix="/api/v1/reports",
        abp_tags=[{"name": "analytics"}],
        abp_security=[{"bearer": []}],
    )
    authenticator.protect(reports)

    @reports.get("/weekly", responses={200: {"content": {HTML: {}, PDF: {}}}}, operation_id="get_weekly_report")
    def weekly(query: ReportParameters) -> Response:
        """Report on a week: tasks created and completed, by day"""
        week = query.week or service.this_week()
        report = service.weekly(current_caller().user_id, week)
        wanted = query.format or ("pdf" if request.accept_mimetypes.best_match([HTML, PDF]) == PDF else "html")
        response = Response(pdf(report), mimetype=PDF) if wanted == "pdf" else Response(page(report), mimetype=HTML)
        response.headers["Content-Disposition"] = f'inline; filename="week-{week}.{wanted}"'
        response.headers["Content-Security-Policy"] = POLICY
        response.vary.add("Accept")
        return response

    return reports
