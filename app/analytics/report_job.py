"""Weekly report jobs: one plans, and one per user renders."""

from datetime import date, timedelta
from uuid import UUID

from app.analytics.events import report_ready
from app.analytics.report import weekly
from app.analytics.report_pdf import pdf
from app.analytics.unit_of_work import AnalyticsUnitOfWork
from app.analytics.week import Week
from app.core.clock import Clock, NewId
from app.core.jobs.model import Job, Step

BATCH = 500
"""Users per step."""


class PlanReports:
    """Queues a report for each subscriber who created or completed a task in the week before the job was due."""

    def __init__(self, clock: Clock, new_id: NewId) -> None:
        self._clock = clock
        self._new_id = new_id

    def step(self, work: AnalyticsUnitOfWork, job: Job) -> Step:
        week = Week.containing(date.fromisoformat(str(job.parameters["due"])) - timedelta(days=7))
        after = UUID(str(job.checkpoint["user"])) if job.checkpoint else None
        users = work.facts.users(after, BATCH)
        for user_id in work.subscriptions.among(work.facts.active(users, week.monday, week.sunday)):
            # Without user_id: the job must not be listed among the user's imports and exports.
            parameters: dict[str, object] = {"user": str(user_id), "week": str(week)}
            report_job = Job(self._new_id(), None, "report", self._clock(), parameters=parameters)
            work.jobs.add(report_job, unique_key=f"report:{week}:{user_id}")
        done = job.done + len(users)
        if len(users) < BATCH:
            return Step(finished=True, checkpoint=job.checkpoint, done=done, total=done)
        return Step(finished=False, checkpoint={"user": str(users[-1])}, done=done)


class MakeReport:
    """Renders the report of a user and a week, and publishes it: the event contains the PDF."""

    def __init__(self, clock: Clock, new_id: NewId) -> None:
        self._clock = clock
        self._new_id = new_id

    def step(self, work: AnalyticsUnitOfWork, job: Job) -> Step:
        user_id, week = UUID(str(job.parameters["user"])), Week.parse(str(job.parameters["week"]))
        report = weekly(work, user_id, week, self._clock)
        work.outbox.add(report_ready(user_id, report, pdf(report), self._new_id, self._clock()))
        return Step(finished=True, done=1, total=1)
