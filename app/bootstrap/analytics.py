"""Wiring of the analytics service."""

from typing import TYPE_CHECKING

from app.analytics.aggregation_job import AggregateFacts
from app.analytics.events import EVENTS
from app.analytics.personal_data import StatisticsData, erase
from app.analytics.projection import TaskFactProjection
from app.analytics.report import ReportService
from app.analytics.report_job import MakeReport, PlanReports
from app.analytics.report_subscriptions import ReportSubscriptionProjection
from app.analytics.retention import RULES
from app.analytics.statistics import StatisticsService
from app.analytics.unit_of_work import AnalyticsUnitOfWork
from app.bootstrap.platform import Platform
from app.bootstrap.wiring import Service
from app.core.clock import new_id, utc_now
from app.core.jobs.scheduler import MONDAY, Entry

if TYPE_CHECKING:
    from flask_openapi.blueprint import APIBlueprint

    from app.core.jobs.service import JobService


class Analytics(Service):
    name = "analytics"
    rules = RULES
    events = EVENTS
    schedule = (Entry("aggregate", hour=2), Entry("reports", hour=5, weekday=MONDAY))
    consumers = (TaskFactProjection(), ReportSubscriptionProjection())
    erase = staticmethod(erase)
    data = (StatisticsData(),)

    def __init__(self, platform: Platform) -> None:
        storage = platform.storage(AnalyticsUnitOfWork)
        self._platform = platform
        self.storage = storage
        self.statistics = StatisticsService(storage, utc_now)
        self.reports = ReportService(storage, utc_now)
        self.handlers = {
            "aggregate": AggregateFacts(utc_now),
            "reports": PlanReports(utc_now, new_id),
            "report": MakeReport(utc_now, new_id),
        }

    def blueprints(self, jobs: "JobService") -> "list[APIBlueprint]":  # noqa: ARG002 part of the interface
        from app.analytics import report_routes, statistics_routes

        authenticator = self._platform.authenticator
        return [
            statistics_routes.blueprint(self.statistics, authenticator),
            report_routes.blueprint(self.reports, authenticator),
        ]
