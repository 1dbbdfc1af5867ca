"""Weekly report, through the API and by jobs, one per user and week."""

import base64
import io
from collections.abc import Callable
from datetime import UTC, datetime
from hashlib import sha256
from uuid import UUID, uuid4

import pytest
from pypdf import PdfReader
from sqlalchemy import select

from app.analytics import report_job
from app.analytics.projection import TaskFactProjection
from app.analytics.report import WeeklyReport
from app.analytics.report_job import MakeReport, PlanReports
from app.analytics.report_pdf import pdf
from app.bootstrap.container import Container
from app.core.clock import new_id
from app.core.database.engine import Database
from app.core.events.tables import OutboxRow
from app.core.jobs.handler import Handler
from app.core.jobs.model import Job
from app.core.jobs.runner import Runner
from app.core.jobs.tables import JobRow
from app.tasks.model import Status
from tests.support.api import Person, assert_problem
from tests.support.background import dispatch_events
from tests.support.fakes import FakeClock
from tests.support.histories import History, Step
from tests.support.storage import SystemStorage, SystemUnitOfWork

MARKUP = "<script>alert(1)</script> & {{ 7 * 7 }} 日本語 🦋"


def printed(document: bytes) -> str:
    [page] = PdfReader(io.BytesIO(document)).pages
    return page.extract_text()


def test_a_report_is_html_or_pdf_as_requested(person: Person, container: Container) -> None:
    person.create(title=MARKUP, status="done")
    dispatch_events(container)
    name = "Created 1 (the week before: 0)"
    for query, accept, kind in (
        ("", "", "text/html"),
        ("", "application/pdf", "application/pdf"),
        ("", "application/pdf;q=0.5, text/html", "text/html"),
        ("?format=pdf", "text/html", "application/pdf"),
        ("?format=html", "application/pdf", "text/html"),
    ):
        response = person.call("GET", f"/reports/weekly{query}", headers={"Accept": accept})
        assert (response.status_code, response.mimetype) == (200, kind)
        assert response.headers["Cache-Control"] == "no-store"
        if kind == "application/pdf":
            assert name in printed(response.data).replace("\n", " ")
        else:
            assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; {{ 7 * 7 }} 日本語 🦋" in response.text


def test_the_report_page_has_a_strict_content_security_policy(person: Person) -> None:
    """V3.4.3: its own content security policy, with the digest of its style."""
    response = person.call("GET", "/reports/weekly")
    style = response.text.partition("<style>")[2].partition("</style>")[0]
    digest = base64.b64encode(sha256(style.encode()).digest()).decode()
    assert response.headers["Content-Security-Policy"] == f"default-src 'none'; style-src 'sha256-{digest}'"


def test_a_report_covers_only_the_week_and_the_caller(
    person: Person, new_person: Callable[[], Person], container: Container
) -> None:
    new_person().create(title="somebody else's", status="done")
    person.create(title="mine", status="done")
    dispatch_events(container)
    this_week = person.call("GET", "/reports/weekly").text
    assert "mine" in this_week
    assert "somebody else" not in this_week
    other = person.call("GET", "/reports/weekly?week=2020-W53")
    assert "28 December to 3 January 2021" in other.text
    assert "mine" not in other.text
    assert other.headers["Content-Disposition"] == 'inline; filename="week-2020-W53.html"'


@pytest.mark.parametrize("query", ["week=2021-W53", "week=2021-W00", "week=2021", "week=1969-W01", "format=png", "x=1"])
def test_a_week_that_does_not_exist_is_rejected(person: Person, query: str) -> None:
    assert_problem(person.call("GET", f"/reports/weekly?{query}"), 422)


class Night:
    """Runs the report jobs at a given time."""

    def __init__(self, database: Database) -> None:
        self.storage = SystemStorage(database)
        self.clock = FakeClock()
        self.clock.now = datetime(2030, 1, 7, 5, tzinfo=UTC)  # a Monday
        handlers: dict[str, Handler[SystemUnitOfWork]] = {
            "reports": PlanReports(self.clock, new_id),
            "report": MakeReport(self.clock, new_id),
        }
        self.runner = Runner(self.storage, handlers, {}, self.clock, new_id, lease=60, attempts=3, backoff=10)

    def user(self, *steps: Step, wants: bool = True) -> UUID:
        """Return a user with these steps since the start of 2030, projected, who subscribes if `wants`."""
        history = History(uuid4(), new_id, list(steps))
        with self.storage.write() as work:
            for event in history.events:
                TaskFactProjection().handle(work, event)
            work.subscriptions.put(history.user_id, wants, self.clock())
        return history.user_id

    def plan(self) -> None:
        with self.storage.write() as work:
            work.jobs.add(Job(new_id(), None, "reports", self.clock(), parameters={"due": "2030-01-07"}))
        self.work()

    def work(self) -> None:
        while True:
            with self.storage.read() as work:
                due = work.jobs.due(self.clock(), self.runner.lanes[0], 100)
            for job_id in due:
                self.runner.run(job_id)
            if not due:
                return

    def ready(self) -> dict[UUID, dict[str, object]]:
        """Return the payloads of `report.ready`, by user."""
        with self.storage.read() as work:
            rows = work.session.execute(select(OutboxRow.user_id, OutboxRow.payload, OutboxRow.name)).all()
        assert len({row.user_id for row in rows}) == len(rows), "one event per user"
        assert {row.name for row in rows} <= {"report.ready"}
        return {row.user_id: row.payload for row in rows}


@pytest.fixture
def night(database: Database) -> Night:
    return Night(database)


def test_each_active_subscriber_gets_one_report(night: Night, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report_job, "BATCH", 2)
    busy = [night.user(("create", 0, Status.DONE, 1)) for _ in range(5)]
    night.user(("create", 0, Status.TODO, 24 * 20))  # after the week
    night.user(("create", 0, Status.DONE, 1), wants=False)
    for _ in range(2):  # planned twice
        night.plan()
    assert set(night.ready()) == set(busy)
    report = night.ready()[busy[0]]
    assert (report["week"], report["created"], report["completed"]) == ("2030-W01", 1, 1)
    text = printed(base64.b64decode(str(report["pdf"]))).replace("\n", " ")
    assert "Week 1: 31 December to 6 January 2030" in text
    assert "Created 1" in text


def test_a_failed_report_is_retried_and_published_once(night: Night, monkeypatch: pytest.MonkeyPatch) -> None:
    user = night.user(("create", 0, Status.DONE, 1))
    failures = [OSError("full")]

    def fail_once(report: WeeklyReport) -> bytes:
        if failures:
            raise failures.pop()
        return pdf(report)

    monkeypatch.setattr(report_job, "pdf", fail_once)
    night.plan()
    assert night.ready() == {}
    night.clock.advance(seconds=60)
    night.work()
    assert set(night.ready()) == {user}


def test_reports_are_not_among_the_jobs_of_a_user(night: Night) -> None:
    user = night.user(("create", 0, Status.DONE, 1))
    night.plan()
    with night.storage.read() as work:
        assert work.jobs.find(user, None, 10) == []
        kinds = sorted(work.session.scalars(select(JobRow.kind)))
    assert kinds == ["report", "reports"]
