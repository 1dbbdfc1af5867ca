"""The rules of a user's jobs: queue, quota, cancel, resume, result."""

from hashlib import sha256
from uuid import UUID

import pytest
from sqlalchemy import select, update

from app.bootstrap.container import Container
from app.core.database.unit_of_work import Storage, UnitOfWork
from app.core.errors import ConflictError, InvalidError, NotFoundError, UnauthenticatedError, UnavailableError
from app.core.idempotency import IdempotencyKey
from app.core.jobs.model import RESULT, UPLOAD, Job, JobKind, State
from app.core.jobs.service import ImportQuota, JobService, Upload
from app.core.jobs.tables import JobFileRow, JobRow
from tests.support.fakes import Counter, FakeClock
from tests.support.storage import storage_of

OWNER, OTHER = UUID(int=1001), UUID(int=1002)
KEY = IdempotencyKey("key", "digest")
DELETED = "The account no longer exists."
UNKNOWN = "There is no such job."
NO_RESULT = "The job has no result."
MANY = r"^2 of your imports wait or run: begin another when one of them has ended\.$"
FULL = (
    "Your files to import may have 20 bytes together: wait until one has been imported, or resume an import that was"
    " cancelled or has failed: its file counts as long as it can be resumed."
)


class Scene:
    """The service, and how often it has said that there is a new job."""

    def __init__(self, storage: Storage[UnitOfWork]) -> None:
        self.storage = storage
        self.clock = FakeClock()
        self.announced = 0
        kinds = {"export": JobKind("text/csv", "tasks.csv", rows_per_chunk=10), "report": JobKind()}
        quota = ImportQuota(jobs=2, size=20)
        self.service = JobService(storage, self.clock, Counter(), self._announce, quota, kinds)

    def _announce(self) -> None:
        self.announced += 1

    def upload(self, content: bytes) -> Upload:
        upload = self.service.upload()
        upload.write(content)
        upload.close()
        return upload

    def queue_import(self, content: bytes) -> Job:
        return self.service.queue(OWNER, "import", upload=self.upload(content))

    def files(self, name: str = UPLOAD) -> list[tuple[UUID, int, bytes]]:
        row = JobFileRow
        found = select(row.job_id, row.position, row.data).where(row.name == name).order_by(row.job_id, row.position)
        with self.storage.read() as work:
            return [(job_id, position, data) for job_id, position, data in work.session.execute(found)]

    def set(self, job: Job, **values: object) -> None:
        with self.storage.write() as work:
            work.session.execute(update(JobRow).where(JobRow.id == job.id).values(**values))

    def add_result(self, job: Job, *chunks: bytes) -> None:
        with self.storage.write() as work:
            for position, chunk in enumerate(chunks):
                work.files.append(job.id, RESULT, position, chunk, self.clock())


@pytest.fixture
def scene(container: Container) -> Scene:
    return Scene(storage_of(container))


def test_a_job_is_queued_as_it_was_asked_for_and_announced(scene: Scene) -> None:
    job = scene.service.queue(OWNER, "export", {"status": "done"})
    assert (job.user_id, job.kind, job.parameters) == (OWNER, "export", {"status": "done"})
    assert (job.state, job.created_at) == (State.QUEUED, scene.clock.now)
    assert scene.service.get(OWNER, job.id) == job
    assert scene.announced == 1
    assert scene.service.queue(OWNER, "export").parameters == {}


def test_a_job_is_its_owners_alone(scene: Scene) -> None:
    job = scene.service.queue(OWNER, "export")
    with pytest.raises(NotFoundError, match=f"^{UNKNOWN}$"):
        scene.service.get(OTHER, job.id)
    with pytest.raises(NotFoundError, match=f"^{UNKNOWN}$"):
        scene.service.resume(OTHER, job.id)
    with pytest.raises(NotFoundError):
        scene.service.refused_lines(OTHER, job.id, 0, 10)
    with pytest.raises(NotFoundError):
        scene.service.cancel(OTHER, job.id)
    assert scene.service.get(OWNER, job.id).state == State.QUEUED
    assert scene.service.find(OTHER, None, 10) == []


def test_jobs_are_listed_newest_first_page_by_page(scene: Scene) -> None:
    jobs = [scene.service.queue(OWNER, "export") for _ in range(3)]
    assert scene.service.find(OWNER, None, 2) == [jobs[2], jobs[1]]
    assert scene.service.find(OWNER, jobs[1].id, 2) == [jobs[0]]


def test_of_a_single_kind_the_job_under_way_stands_for_the_next(scene: Scene) -> None:
    first = scene.service.queue(OWNER, "report", single=True)
    assert scene.service.queue(OWNER, "report", single=True) == first
    assert scene.announced == 1
    others = [
        scene.service.queue(OWNER, "report"),
        scene.service.queue(OWNER, "export", single=True),
        scene.service.queue(OTHER, "report", single=True),
    ]
    assert len({first.id, *(job.id for job in others)}) == 4


def test_under_a_key_a_job_is_queued_and_announced_once(scene: Scene) -> None:
    first = scene.service.queue(OWNER, "export", key=KEY)
    assert scene.service.queue(OWNER, "export", key=KEY) == first
    assert scene.announced == 1
    assert scene.service.queue(OTHER, "export", key=KEY) != first
    with pytest.raises(InvalidError):
        scene.service.queue(OWNER, "export", key=IdempotencyKey(KEY.key, "another request"))


@pytest.mark.parametrize("by", ["key", "single"])
def test_the_file_of_a_request_that_queues_nothing_is_dropped(scene: Scene, by: str) -> None:
    key, single = (KEY, False) if by == "key" else (None, True)
    first = scene.service.queue(OWNER, "import", upload=scene.upload(b"one"), key=key, single=single)
    assert scene.service.queue(OWNER, "import", upload=scene.upload(b"one"), key=key, single=single) == first
    assert scene.files() == [(first.id, 0, b"one")]


def test_nothing_is_queued_for_a_deleted_user_and_the_file_is_dropped(scene: Scene) -> None:
    with scene.storage.write() as work:
        work.deleted_users.add(OWNER, scene.clock())
    upload = scene.upload(b"one")
    with pytest.raises(UnauthenticatedError, match=f"^{DELETED}$"):
        scene.service.queue(OWNER, "import", upload=upload)
    with pytest.raises(UnauthenticatedError):
        scene.service.queue(OWNER, "export")
    assert (scene.files(), scene.announced) == ([], 0)
    assert scene.service.find(OWNER, None, 10) == []


def test_an_upload_is_stored_in_pieces_under_the_job_to_come(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.core.jobs.service.CHUNK_BYTES", 4)
    upload = scene.service.upload()
    assert [upload.write(data) for data in (b"ab", b"cdefghi", b"")] == [2, 7, 0]
    assert [piece for _, _, piece in scene.files()] == [b"abcd", b"efgh"]
    upload.close()
    upload.close()
    assert scene.files() == [(upload.job_id, 0, b"abcd"), (upload.job_id, 1, b"efgh"), (upload.job_id, 2, b"i")]
    assert upload.digest.digest() == sha256(b"abcdefghi").digest()
    job = scene.service.queue(OWNER, "import", {"format": "ours"}, upload)
    assert (job.id, job.parameters) == (upload.job_id, {"format": "ours", "bytes": 9})


def test_an_upload_of_whole_pieces_leaves_none_to_be_stored_at_its_end(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.core.jobs.service.CHUNK_BYTES", 4)
    scene.upload(b"abcd")
    assert [(position, piece) for _, position, piece in scene.files()] == [(0, b"abcd")]


def test_a_discarded_upload_leaves_nothing_and_no_other_goes_with_it(scene: Scene) -> None:
    kept = scene.upload(b"kept")
    scene.upload(b"gone").discard()
    assert scene.files() == [(kept.job_id, 0, b"kept")]


def test_imports_together_have_no_more_bytes_than_the_quota(scene: Scene) -> None:
    assert scene.service.room_for_import(OWNER) == 20
    first = scene.queue_import(b"0123456789")
    assert scene.service.room_for_import(OWNER) == 10
    assert scene.service.room_for_import(OTHER) == 20
    scene.set(first, state=State.CANCELLED)
    too_large = scene.upload(b"0123456789a")
    with pytest.raises(ConflictError, match=f"^{FULL}$"):
        scene.service.queue(OWNER, "import", upload=too_large)
    assert [job_id for job_id, _, _ in scene.files()] == [first.id]
    second = scene.service.queue(OWNER, "import", upload=scene.upload(b""))
    scene.set(second, state=State.CANCELLED)
    with scene.storage.write() as work:
        work.files.append(second.id, UPLOAD, 0, b"0123456789", scene.clock())
    with pytest.raises(ConflictError, match=f"^{FULL}$"):
        scene.service.room_for_import(OWNER)


def test_only_so_many_imports_are_under_way(scene: Scene) -> None:
    jobs = [scene.queue_import(b"one"), scene.queue_import(b"two")]
    with pytest.raises(
        ConflictError, match=r"^2 of your imports wait or run: begin another when one of them has ended\.$"
    ):
        scene.service.room_for_import(OWNER)
    with pytest.raises(ConflictError):
        scene.queue_import(b"three")
    scene.set(jobs[0], state=State.SUCCEEDED)
    assert scene.service.room_for_import(OWNER) == 14


def test_a_cancelled_job_can_be_resumed_once_and_is_announced_again(scene: Scene) -> None:
    job = scene.service.queue(OWNER, "export")
    scene.clock.advance(minutes=1)
    cancelled = scene.service.cancel(OWNER, job.id)
    assert (cancelled.state, cancelled.finished_at) == (State.CANCELLED, scene.clock.now)
    scene.clock.advance(minutes=1)
    resumed = scene.service.resume(OWNER, job.id, KEY)
    assert (resumed.id, resumed.state, scene.announced) == (job.id, State.QUEUED, 2)
    with scene.storage.read() as work:
        assert work.session.scalar(select(JobRow.due_at)) == scene.clock.now
    assert scene.service.resume(OWNER, job.id, KEY).state == State.QUEUED
    with pytest.raises(ConflictError, match=r"^Only a job that was cancelled or has failed can be resumed\.$"):
        scene.service.resume(OWNER, job.id)


def test_refused_lines_are_listed_in_order_past_a_line(scene: Scene) -> None:
    job, other = scene.queue_import(b"one"), scene.queue_import(b"two")
    lines = [(number, "no title", "x") for number in (2, 3, 5)]
    with scene.storage.write() as work:
        work.files.add_refused_lines(job.id, lines)
    assert scene.service.refused_lines(OWNER, job.id, 0, 2) == lines[:2]
    assert scene.service.refused_lines(OWNER, job.id, 3, 2) == lines[2:]
    assert scene.service.refused_lines(OWNER, other.id, 0, 2) == []


def test_a_result_is_read_in_its_chunks(scene: Scene) -> None:
    job = scene.service.queue(OWNER, "export")
    scene.add_result(job, b"ab", b"c")
    scene.set(job, state=State.SUCCEEDED, done=29)
    found, size, chunks = scene.service.result(OWNER, job.id)
    assert (found.id, size, list(chunks)) == (job.id, 3, [b"ab", b"c"])
    with pytest.raises(NotFoundError):
        scene.service.result(OTHER, job.id)


@pytest.mark.parametrize(
    ("kind", "chunks", "done", "state"),
    [
        ("export", 2, 29, State.RUNNING),
        ("export", 2, 30, State.SUCCEEDED),
        ("export", 0, 0, State.SUCCEEDED),
        ("report", 0, 0, State.SUCCEEDED),
        ("unknown", 0, 30, State.SUCCEEDED),
    ],
)
def test_a_job_has_no_result_before_its_end_or_when_chunks_are_gone(
    scene: Scene, kind: str, chunks: int, done: int, state: State
) -> None:
    job = scene.service.queue(OWNER, kind)
    scene.add_result(job, *[b"chunk"] * chunks)
    scene.set(job, state=state, done=done)
    with pytest.raises(NotFoundError, match=f"^{NO_RESULT}$"):
        scene.service.result(OWNER, job.id)


@pytest.mark.parametrize("kind", ["report", "unknown"])
def test_a_kind_without_rows_has_a_result_in_one_chunk(scene: Scene, kind: str) -> None:
    job = scene.service.queue(OWNER, kind)
    scene.add_result(job, b"page")
    scene.set(job, state=State.SUCCEEDED, done=30)
    assert list(scene.service.result(OWNER, job.id)[2]) == [b"page"]


def test_a_download_breaks_off_when_a_chunk_goes_meanwhile(scene: Scene) -> None:
    job = scene.service.queue(OWNER, "export")
    scene.add_result(job, b"ab", b"c")
    scene.set(job, state=State.SUCCEEDED)
    _, _, chunks = scene.service.result(OWNER, job.id)
    assert next(chunks) == b"ab"
    with scene.storage.write() as work:
        work.files.delete(job.id, RESULT)
    with pytest.raises(UnavailableError, match=r"^The result is no longer there\.$"):
        next(chunks)
