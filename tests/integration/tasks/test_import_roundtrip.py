"""Round trip of export and import: identical bytes for any content."""

from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from app.bootstrap.container import Container
from app.core.clock import new_id
from app.core.csv_safety import as_written, harmless
from app.core.jobs.model import Job, State
from app.core.times import EARLIEST, LATEST
from app.tasks.import_plan import Options, plan_of
from app.tasks.import_rows import split_tags, tags_cell
from app.tasks.model import Status, TaskCreate, tag_forms
from app.tasks.routes import NewTask
from tests.support.storage import storage_of

SPECIAL = "-=+@'\t\r\n\",;| aÄß\u00a0\u2028\\N🙂"
TEXT = st.text(st.one_of(st.sampled_from(SPECIAL), st.characters(exclude_categories=["Cs"])), max_size=12)
TIMES = st.none() | st.datetimes(EARLIEST.replace(tzinfo=None), LATEST.replace(tzinfo=None), timezones=st.just(UTC))


def _draft(title: str, description: str, status: Status, due: datetime | None, remind: datetime | None,
           tags: list[str]) -> TaskCreate | None:  # fmt: skip
    """Return a task as the API accepts it; None if it rejects it."""
    values = {"title": title, "description": description, "status": status, "due_at": due, "remind_at": remind}
    try:
        task = NewTask.model_validate({**values, "tags": tags})
    except ValidationError:
        return None
    return TaskCreate(task.title, task.description, task.status, task.due_at, tag_forms(task.tags), task.remind_at)


TASKS = st.builds(
    _draft, TEXT, TEXT, st.sampled_from(Status), TIMES, TIMES, st.lists(TEXT.filter(str.strip), max_size=3)
).filter(lambda draft: draft is not None)


def exported(container: Container, user_id: UUID, **parameters: object) -> bytes:
    job = done(container, container.jobs.queue(user_id, "export", dict(parameters)))
    _, size, chunks = container.jobs.result(user_id, job.id)
    content = b"".join(chunks)
    assert len(content) == size
    return content


def imported(container: Container, user_id: UUID, content: bytes) -> Job:
    upload = container.jobs.upload()
    upload.write(content)
    upload.close()
    plan = plan_of(content, Options())
    return done(container, container.jobs.queue(user_id, "import", {"plan": plan.parameters()}, upload))


def done(container: Container, job: Job) -> Job:
    assert job.user_id is not None
    container.background.runner.run(job.id)
    job = container.jobs.get(job.user_id, job.id)
    assert (job.state, job.refused) == (State.SUCCEEDED, 0)
    return job


@given(st.lists(TASKS, max_size=4), st.booleans())
@settings(deadline=None, max_examples=25, suppress_health_check=list(HealthCheck))
def test_export_import_export_gives_the_same_bytes(container: Container, drafts: list[TaskCreate], mark: bool) -> None:
    one, other = new_id(), new_id()
    for draft in drafts:
        container.tasks.service.create(one, draft)
    first = exported(container, one, byte_order_mark=mark)
    assert first.startswith(b"\xef\xbb\xbf") == mark
    assert imported(container, other, first).done == len(drafts)
    assert exported(container, other, byte_order_mark=mark) == first


@given(TEXT)
def test_a_text_that_looks_like_a_formula_is_escaped_and_comes_back(text: str) -> None:
    cell = str(harmless(text))
    assert not cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n"))
    assert as_written(cell) == text


@pytest.mark.parametrize(
    ("text", "cell"),
    [("=1+1", "'=1+1"), ("'=1+1", "''=1+1"), ("'quoted'", "'quoted'"), ("''", "''"), ("a-b", "a-b"), ("", "")],
)
def test_a_quote_is_added_before_formulas_only(text: str, cell: str) -> None:
    assert (harmless(text), as_written(cell)) == (cell, text)


@given(st.lists(st.text(st.sampled_from("ab,;\"' =Äß"), min_size=1, max_size=8).filter(str.strip), max_size=4))
@example(["home, work"])
@example(['"', "a;b"])
def test_tags_in_one_cell_come_back(texts: list[str]) -> None:
    tags = tag_forms(texts)
    assert tag_forms(split_tags(tags_cell(tags))) == tags


@pytest.mark.parametrize(
    ("cell", "tags"),
    [
        ("home, work", ["home", "work"]),
        ("home;work", ["home", "work"]),
        ('"home, work"', ["home, work"]),
        ('"home, work"; garden', ["home, work", "garden"]),
        ('"home, work", garden', ["home, work", "garden"]),
        ("a;c,d", ["a", "c,d"]),
        ("a, , b", ["a", "b"]),
    ],
)
def test_commas_and_semicolons_separate_tags(cell: str, tags: list[str]) -> None:
    assert split_tags(cell) == tags


def test_reminders_of_the_past_are_kept_and_not_sent(container: Container) -> None:
    user_id = new_id()
    imported(
        container,
        user_id,
        b"title,remind_at\nlate,2001-01-01T00:00:00Z\nto come,2101-01-01T00:00:00Z\n",
    )
    content = exported(container, user_id).decode()
    assert "2001-01-01T00:00:00+00:00" in content
    with storage_of(container).read() as work:
        assert not work.reminders.any_due(datetime(2100, 1, 1, tzinfo=UTC))
        assert work.reminders.any_due(datetime(2102, 1, 1, tzinfo=UTC))
