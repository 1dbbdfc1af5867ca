"""Dead letters: listed, and requeued on request with all their attempts, each effect once."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from app.core.clock import new_id
from app.core.database.engine import Database
from app.core.errors import NotFoundError
from app.core.events.dispatcher import Dispatcher, delivery_counter
from app.core.events.model import Event
from app.core.jobs.dead_letters import DeadLetters
from app.core.jobs.model import DeadLetter, Job, PermanentError, Step
from app.core.jobs.runner import Runner
from app.core.jobs.tables import JobRow
from tests.support.fakes import FakeClock
from tests.support.ports import free_port
from tests.support.server import environment
from tests.support.storage import SystemStorage, SystemUnitOfWork


class Fickle:
    """Handler of jobs and events that fails as long as it is broken."""

    name = "test.fickle"
    events = frozenset({"test.happened"})
    broken = True

    def __init__(self) -> None:
        self.handled: list[UUID] = []

    def step(self, work: SystemUnitOfWork, job: Job) -> Step:
        del work
        if self.broken:
            raise PermanentError("The cause is not mended.")
        self.handled.append(job.id)
        return Step(finished=True)

    def handle(self, work: SystemUnitOfWork, event: Event) -> None:
        del work
        if self.broken:
            raise LookupError
        self.handled.append(event.id)


class Scene:
    """Jobs of two kinds and an event, all dead-lettered."""

    def __init__(self, database: Database) -> None:
        self.storage, self.clock, self.fickle = SystemStorage(database), FakeClock(), Fickle()
        self.clock.now = datetime.now(UTC)
        self.letters = DeadLetters(self.storage, self.clock)
        handlers = {"one": self.fickle, "other": self.fickle}
        self.runner = Runner(self.storage, handlers, {}, self.clock, new_id, lease=60, attempts=3, backoff=1)
        self.dispatcher = Dispatcher(
            self.storage, [self.fickle], self.clock, attempts=1, first=1, outcomes=delivery_counter()
        )
        self.one, self.other = (self._queue(kind) for kind in handlers)
        event = Event(new_id(), "test.happened", None, self.clock() - timedelta(hours=1))
        self.event = event.id
        self.dispatcher.deliver([event])
        self.run_once()

    def _queue(self, kind: str) -> UUID:
        job = Job(new_id(), None, kind, self.clock())
        with self.storage.write() as work:
            work.jobs.add(job)
        return job.id

    def run_once(self) -> None:
        """Run due jobs and deliveries."""
        for job_id in (self.one, self.other):
            self.runner.run(job_id)
            self.clock.advance(seconds=1)
        self.dispatcher.run_once()


@pytest.fixture
def scene(database: Database) -> Scene:
    return Scene(database)


def test_dead_letters_are_listed_with_their_reason_the_latest_first(scene: Scene) -> None:
    found = scene.letters.find(None, 9)
    assert [(letter.what, letter.id, letter.kind, letter.tries, letter.error) for letter in found] == [
        ("job", scene.other, "other", 1, "The cause is not mended."),
        ("job", scene.one, "one", 1, "The cause is not mended."),
        ("event", scene.event, Fickle.name, 1, "LookupError"),
    ]
    for kind, expected in (("one", scene.one), (Fickle.name, scene.event)):
        assert [letter.id for letter in scene.letters.find(kind, 9)] == [expected]
    assert [letter.id for letter in scene.letters.find(None, 1)] == [scene.other]


def test_a_requeued_dead_letter_is_done_once_and_is_one_no_more(scene: Scene) -> None:
    scene.fickle.broken = False
    scene.run_once()
    assert scene.fickle.handled == [], "nobody has said that it may be tried again"
    assert scene.letters.requeue([scene.one, scene.event], None) == 2
    for _ in range(2):
        scene.run_once()
    assert scene.fickle.handled == [scene.one, scene.event]
    assert [letter.id for letter in scene.letters.find(None, 9)] == [scene.other]


@pytest.mark.parametrize("kind", ["other", Fickle.name])
def test_all_dead_letters_of_a_kind_are_requeued_and_no_others(scene: Scene, kind: str) -> None:
    [expected] = scene.letters.find(kind, 9)
    scene.fickle.broken = False
    assert scene.letters.requeue(None, kind) == 1
    scene.run_once()
    assert scene.fickle.handled == [expected.id]


def test_a_requeued_dead_letter_has_all_its_attempts_again(scene: Scene) -> None:
    assert scene.letters.requeue([scene.one], None) == 1
    with scene.storage.read() as work:
        row = work.session.get_one(JobRow, scene.one)
    assert (row.state, row.attempts, row.announced_at, row.error) == ("queued", 0, None, None)
    scene.run_once()
    assert {letter.id for letter in scene.letters.find(None, 9)} == {scene.one, scene.other, scene.event}


def test_nothing_is_requeued_when_one_identifier_is_wrong(scene: Scene) -> None:
    before, wrong = scene.letters.find(None, 9), uuid4()
    with pytest.raises(NotFoundError, match=f"no dead letter: {wrong}"):
        scene.letters.requeue([scene.one, wrong, scene.event], None)
    assert scene.letters.find(None, 9) == before


@pytest.fixture
def command(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Any:
    """Run the command on the scene's database; returns exit status, stdout and stderr."""
    for name, value in environment(tmp_path, database_url, 8000).items():
        monkeypatch.setenv(name, value)

    def run(*arguments: str) -> tuple[int, str, str]:
        from app.__main__ import main

        status = main(["dead-letters", *arguments])
        return status, *capsys.readouterr()

    return run


def test_the_command_lists_and_requeues(scene: Scene, command: Any) -> None:
    status, shown, _ = command("list", "--json")
    assert status == 0
    assert [letter["id"] for letter in json.loads(shown)] == [str(each.id) for each in scene.letters.find(None, 9)]
    assert set(json.loads(shown)[0]) == set(DeadLetter.__dataclass_fields__)
    _, shown, _ = command("list", "--kind", "one")
    assert shown.count("\n") == 1
    assert f"job    {scene.one}  one  " in shown
    assert command("revive", str(scene.one), "--json") == (0, '{"revived": 1}\n', "")
    assert command("revive", "--kind", "other") == (0, "revived: 1\n", "")
    assert command("list", "--kind", "one") == (0, "no dead letters\n", "")


def test_the_command_reports_errors_in_one_line(scene: Scene, command: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = uuid4()
    assert command("revive", str(scene.one), str(wrong)) == (1, "", f"error: no dead letter: {wrong}\n")
    for arguments in (("revive",), ("revive", str(scene.one), "--kind", "one")):
        assert command(*arguments) == (2, "", "error: give identifiers, or a kind\n")
    assert len(scene.letters.find(None, 9)) == 3
    monkeypatch.setenv("APP_DATABASE_URL", f"postgresql+psycopg2://nobody@127.0.0.1:{free_port()}/nothing")
    assert command("list") == (1, "", "error: The database can't be reached.\n")
    monkeypatch.setenv("APP_SECRET_KEY", "short")
    assert command("list")[0] == 2
