"""Job runner: one worker at a time for each job, retries with backoff, and dead letters."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from app.core.clock import new_id
from app.core.database.engine import Database
from app.core.errors import UnavailableError
from app.core.events.model import Event
from app.core.events.tables import OutboxRow
from app.core.jobs.background import AHEAD, Announcer, Cleaner
from app.core.jobs.handler import Handler
from app.core.jobs.model import Job, PermanentError, Step
from app.core.jobs.runner import Runner
from app.core.jobs.tables import JobRow
from app.core.retention_rules import FILES, JOBS
from tests.support.fakes import FakeClock
from tests.support.retention import RULES
from tests.support.storage import SystemStorage, SystemUnitOfWork

LEASE = 60
KINDS = {"count"}


class Counting:
    """Handler with three steps and an effect in each; can be made to fail in one."""

    def __init__(self) -> None:
        self.at_step: dict[int, Exception] = {}

    def step(self, work: SystemUnitOfWork, job: Job) -> Step:
        work.outbox.add(Event(uuid4(), f"effect.{job.done}", None, datetime.now(UTC)))
        if job.done in self.at_step:
            raise self.at_step[job.done]
        return Step(finished=job.done == 2, done=job.done + 1)


class FakeTransport:
    """Transport whose messages are never consumed."""

    def __init__(self) -> None:
        self.messages: list[tuple[UUID, bool]] = []

    def send(self, job_id: UUID, left: bool) -> None:
        self.messages.append((job_id, left))

    def waiting(self) -> int:
        return len(self.messages)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def storage(database: Database) -> SystemStorage:
    return SystemStorage(database)


def runner(storage: SystemStorage, handler: Handler[SystemUnitOfWork], clock: FakeClock) -> Runner[SystemUnitOfWork]:
    return Runner(storage, {"count": handler}, {}, clock, new_id, lease=LEASE, attempts=3, backoff=10)


def queue(storage: SystemStorage, clock: FakeClock, user_id: UUID | None = None) -> UUID:
    job = Job(new_id(), user_id, "count", clock())
    with storage.write() as work:
        assert work.jobs.add(job)
    return job.id


def row(storage: SystemStorage, job_id: UUID) -> JobRow:
    with storage.read() as work:
        return work.session.get_one(JobRow, job_id)


def ids(storage: SystemStorage) -> set[UUID]:
    with storage.read() as work:
        return set(work.session.scalars(select(JobRow.id)))


def effects(storage: SystemStorage) -> list[str]:
    with storage.read() as work:
        return sorted(work.session.scalars(select(OutboxRow.name)))


def test_a_job_runs_once_with_repeated_messages(storage: SystemStorage, clock: FakeClock) -> None:
    job_id = queue(storage, clock)
    for _ in range(3):
        runner(storage, Counting(), clock).run(job_id)
    assert row(storage, job_id).state == "succeeded"
    assert effects(storage) == ["effect.0", "effect.1", "effect.2"]


def test_a_failed_step_is_rolled_back_and_retried_later(storage: SystemStorage, clock: FakeClock) -> None:
    job_id, handler = queue(storage, clock), Counting()
    handler.at_step[1] = UnavailableError("away")
    runner(storage, handler, clock).run(job_id)
    assert (row(storage, job_id).state, row(storage, job_id).error) == ("queued", "away")
    assert effects(storage) == ["effect.0"]
    handler.at_step.clear()
    runner(storage, handler, clock).run(job_id)
    assert row(storage, job_id).state == "queued", "it was not due"
    clock.advance(seconds=30)
    runner(storage, handler, clock).run(job_id)
    assert row(storage, job_id).state == "succeeded"
    assert effects(storage) == ["effect.0", "effect.1", "effect.2"]


def test_a_job_that_fails_in_each_attempt_is_dead_lettered_with_its_reason(
    storage: SystemStorage, clock: FakeClock
) -> None:
    job_id, handler = queue(storage, clock), Counting()
    handler.at_step[0] = UnavailableError("away")
    for _ in range(5):
        runner(storage, handler, clock).run(job_id)
        clock.advance(hours=1)
    assert (row(storage, job_id).state, row(storage, job_id).error) == ("failed", "away")
    assert row(storage, job_id).attempts == 3
    with storage.read() as work:
        assert work.jobs.counts() == {"queued": 0, "running": 0, "failed": 1}


def test_a_permanent_error_dead_letters_a_job_at_once(storage: SystemStorage, clock: FakeClock) -> None:
    job_id, handler = queue(storage, clock), Counting()
    handler.at_step[0] = PermanentError("no columns")
    runner(storage, handler, clock).run(job_id)
    assert (row(storage, job_id).state, row(storage, job_id).attempts) == ("failed", 1)


def test_a_worker_that_lost_its_lease_changes_nothing(storage: SystemStorage, clock: FakeClock) -> None:
    job_id, slow, other = queue(storage, clock), new_id(), Counting()
    with storage.write() as work:
        assert work.jobs.claim(job_id, KINDS, slow, clock(), clock() + timedelta(seconds=LEASE))
        assert not work.jobs.claim(job_id, KINDS, new_id(), clock(), clock() + timedelta(seconds=LEASE))
    clock.advance(seconds=LEASE)
    runner(storage, other, clock).run(job_id)
    with storage.write() as work:
        assert work.jobs.renew_lease(job_id, slow, clock()) is None
    assert row(storage, job_id).state == "succeeded"


def test_a_job_whose_workers_all_die_is_dead_lettered(storage: SystemStorage, clock: FakeClock) -> None:
    job_id = queue(storage, clock)
    for _ in range(3):
        with storage.write() as work:
            assert work.jobs.claim(job_id, KINDS, new_id(), clock(), clock() + timedelta(seconds=LEASE))
        clock.advance(seconds=LEASE)
    runner(storage, Counting(), clock).run(job_id)
    assert row(storage, job_id).state == "failed"
    assert effects(storage) == []


def test_a_job_of_an_unknown_kind_is_left_to_other_workers(storage: SystemStorage, clock: FakeClock) -> None:
    """During a rollout, workers of the former release receive jobs of the new one."""
    job_id, celery_transport = queue(storage, clock), FakeTransport()
    for _ in range(10):
        Runner(storage, {"other": Counting()}, {}, clock, new_id, lease=LEASE, attempts=3, backoff=10).run(job_id)
        clock.advance(hours=1)
    assert (row(storage, job_id).state, row(storage, job_id).attempts) == ("queued", 0)
    assert not Announcer(storage, celery_transport, {"other"}, clock, LEASE).run_once()
    assert celery_transport.messages == []
    runner(storage, Counting(), clock).run(job_id)
    assert row(storage, job_id).state == "succeeded"


def test_a_job_whose_message_is_lost_is_announced_again(storage: SystemStorage, clock: FakeClock) -> None:
    job_id, celery_transport = queue(storage, clock), FakeTransport()
    announcer = Announcer(storage, celery_transport, KINDS, clock, LEASE)
    assert announcer.run_once()
    assert not announcer.run_once()
    celery_transport.messages.clear()
    clock.advance(seconds=LEASE + 1)
    assert announcer.run_once()
    assert celery_transport.messages == [(job_id, False)]


def test_jobs_are_not_marked_as_announced_while_the_broker_is_unavailable(
    storage: SystemStorage, clock: FakeClock
) -> None:
    job_id = queue(storage, clock)

    class Away(FakeTransport):
        def send(self, *_message: object) -> None:
            raise ConnectionError

    with pytest.raises(ConnectionError):
        Announcer(storage, Away(), KINDS, clock, LEASE).run_once()
    assert row(storage, job_id).announced_at is None


@pytest.mark.parametrize(("user_id", "kept"), [(uuid4(), JOBS), (None, FILES)], ids=["a user's", "nobody's"])
def test_finished_jobs_are_deleted_after_a_while_and_failed_ones_later(
    storage: SystemStorage, clock: FakeClock, user_id: UUID | None, kept: timedelta
) -> None:
    failing, succeeding = Counting(), runner(storage, Counting(), clock)
    failing.at_step[0] = PermanentError("no use")
    failed, waiting = queue(storage, clock, user_id), queue(storage, clock, user_id)
    runner(storage, failing, clock).run(failed)
    ended = [queue(storage, clock, user_id) for _ in range(3)]
    for job_id in ended:
        succeeding.run(job_id)
    with storage.write() as work:
        work.files.add_refused_lines(ended[0], [(2, "is no date", "Call the bank,yesterday")])
    clock.advance(seconds=kept.total_seconds())
    recent = queue(storage, clock, user_id)
    succeeding.run(recent)

    cleaner = Cleaner(storage, clock, lambda: False, RULES)
    cleaner.run_once()
    assert ids(storage) == {failed, waiting, *ended, recent}, "none is old enough yet"
    clock.advance(seconds=2 * LEASE)
    Cleaner(storage, clock, lambda: False, RULES).run_once()
    assert ids(storage) == {failed, waiting, recent}
    with storage.read() as work:
        assert work.files.refused_lines(ended[0], 0, 10) == []


def test_the_number_of_messages_is_bounded(storage: SystemStorage, clock: FakeClock) -> None:
    for _ in range(2 * AHEAD):
        queue(storage, clock)
    celery_transport = FakeTransport()
    announcer = Announcer(storage, celery_transport, KINDS, clock, LEASE)
    for _ in range(10):
        announcer.run_once()
        clock.advance(seconds=LEASE + 1)
    assert len(celery_transport.messages) == AHEAD


def test_a_job_with_an_expired_lease_has_priority(storage: SystemStorage, clock: FakeClock) -> None:
    begun, celery_transport = queue(storage, clock), FakeTransport()
    with storage.write() as work:
        assert work.jobs.claim(begun, KINDS, new_id(), clock(), clock() + timedelta(seconds=LEASE))
    for _ in range(AHEAD):
        queue(storage, clock)
    announcer = Announcer(storage, celery_transport, KINDS, clock, LEASE)
    announcer.run_once()
    assert begun not in dict(celery_transport.messages), "its worker may still be there"
    clock.advance(seconds=LEASE + 1)
    announcer.run_once()
    assert celery_transport.messages[AHEAD:] == [(begun, True)]


def test_of_two_jobs_with_one_key_only_the_first_is_queued(storage: SystemStorage, clock: FakeClock) -> None:
    with storage.write() as work:
        assert work.jobs.add(Job(new_id(), None, "count", clock()), "reminder 1")
        assert not work.jobs.add(Job(new_id(), None, "count", clock()), "reminder 1")
