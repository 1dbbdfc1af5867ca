"""/statistics: daily counts of created and completed tasks."""

import re
from datetime import date, timedelta
from typing import Annotated, Any

from flask import Response
from flask_openapi.blueprint import APIBlueprint
from pydantic import BeforeValidator, Field, WithJsonSchema

from app.analytics.statistics import StatisticsService
from app.core.errors import InvalidError
from app.core.http.authentication import Authenticator, current_caller
from app.core.http.schemas import RequestModel, ResponseModel

MOST_DAYS = 366
DEFAULT_DAYS = 30
DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
EARLIEST = date(1970, 1, 1)


def parse_day(value: Any) -> Any:
    """Parse a calendar day. Raises ValueError with a message for the client."""
    if not isinstance(value, str) or not DAY.fullmatch(value):
        raise ValueError("must be a date, like 2030-01-31 (RFC 3339)")
    try:
        day = date.fromisoformat(value)
    except ValueError:
        raise ValueError("is not a date that exists") from None
    if day < EARLIEST:
        raise ValueError(f"must not be before {EARLIEST}")
    return day


CalendarDay = Annotated[
    date,
    BeforeValidator(parse_day),
    WithJsonSchema({"type": "string", "format": "date", "pattern": f"^{DAY.pattern}$"}),
]


class StatisticsParameters(RequestModel):
    first: Annotated[
        CalendarDay | None, Field(alias="from", description=f"First day; by default the range has {DEFAULT_DAYS} days")
    ] = None
    last: Annotated[
        CalendarDay | None, Field(alias="to", description=f"Last day, at most {MOST_DAYS} in all; by default today")
    ] = None

    def days(self, today: date) -> tuple[date, date]:
        """Return the first and the last day. Raises InvalidError if they are in the wrong order or too far apart."""
        last = self.last or today
        first = self.first or last - timedelta(days=DEFAULT_DAYS - 1)
        if first > last:
            raise InvalidError("from", "must not be after `to`")
        if (last - first).days >= MOST_DAYS:
            raise InvalidError("from", f"must be within {MOST_DAYS} days of `to`")
        return first, last


class TotalsBody(ResponseModel):
    todo: int
    in_progress: int
    done: int
    overdue: Annotated[int, Field(description="Open and past their due dates")]


class DayBody(ResponseModel):
    date: date
    created: int
    completed: int


class DurationBody(ResponseModel):
    median: float
    mean: float


class StatisticsBody(ResponseModel):
    time_zone: Annotated[str, Field(description="Time zone of the days")] = "UTC"
    totals: Annotated[TotalsBody, Field(description="Current totals, whatever the range")]
    created: Annotated[int, Field(description="Created in the range, including tasks deleted since")]
    completed: Annotated[
        int, Field(description="Completed in the range; a reopened task counts at its last completion")
    ]
    completion_rate: Annotated[
        float | None,
        Field(ge=0, le=1, description="Share of done tasks among those created in the range; null if none"),
    ]
    duration: Annotated[
        DurationBody | None,
        Field(description="Seconds from creation to completion of tasks completed in the range; null if none"),
    ]
    streak: Annotated[int, Field(description="Consecutive days up to now with a completed task")]
    days: list[DayBody]


def blueprint(service: StatisticsService, authenticator: Authenticator) -> APIBlueprint:
    """Routes of the caller's statistics."""
    statistics = APIBlueprint(
        "statistics", __name__, url_prefix="/api/v1", abp_tags=[{"name": "analytics"}], abp_security=[{"bearer": []}]
    )
    authenticator.protect(statistics, cached=frozenset({"get"}))

    @statistics.get("/statistics", responses={200: StatisticsBody}, operation_id="get_statistics")
    def get(query: StatisticsParameters) -> Response:
        """Count the caller's tasks, by status and by day; eventually consistent"""
        found = service.statistics(current_caller().user_id, *query.days(service.today()))
        return StatisticsBody.model_validate(found).response()

    return statistics
