"""Events of the analytics service."""

import base64
from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field
from typing_extensions import TypedDict

from app.analytics.report import WeeklyReport
from app.core.clock import NewId
from app.core.events.contracts import EventType
from app.core.events.model import Event


class ReportFacts(TypedDict):
    week: Annotated[str, Field(pattern=r"^\d{4}-W\d{2}$")]
    created: int
    completed: int
    pdf: Annotated[str, Field(json_schema_extra={"contentEncoding": "base64"}, description="The report, about 3 kB")]


EVENTS = (EventType("report.ready", "The weekly report of a user was made", ReportFacts),)


def report_ready(user_id: UUID, report: WeeklyReport, pdf: bytes, new_id: NewId, now: datetime) -> Event:
    payload: ReportFacts = {
        "week": str(report.week),
        "created": report.of.created,
        "completed": report.of.completed,
        "pdf": base64.b64encode(pdf).decode(),
    }
    return Event(new_id(), "report.ready", user_id, now, payload)
