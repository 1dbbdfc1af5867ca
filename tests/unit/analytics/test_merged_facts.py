"""Facts merged from task events in any order."""

from datetime import timedelta
from functools import reduce
from uuid import UUID

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from app.analytics.projection import facts_of
from app.analytics.read_model import Fact, merged
from app.core.events.model import Event
from app.tasks.model import Status
from tests.support.fakes import Counter, FakeClock
from tests.support.histories import EVENTFUL, STEPS, History, Step

OWNER = UUID(int=1001)
PATIENT = settings(deadline=None)
"""No deadline: the time of an example varies with the machine's load."""


def known(events: list[Event]) -> dict[UUID, Fact]:
    """Return the fact of each task after these events."""
    by_task: dict[UUID, list[Fact]] = {}
    for event in events:
        for fact in facts_of(event):
            by_task.setdefault(fact.task_id, []).append(fact)
    return {task_id: reduce(merged, facts) for task_id, facts in by_task.items()}


@PATIENT
@given(STEPS, st.integers())
@example(EVENTFUL, 1)
def test_duplicate_and_unordered_events_give_the_true_state(steps: list[Step], seed: int) -> None:
    history = History(OWNER, Counter(), steps)
    facts = known(history.scrambled(seed))
    assert facts == known(history.events)
    there = {task_id: fact for task_id, fact in facts.items() if fact.deleted_at is None}
    assert {task_id: (fact.title, fact.status, fact.due_at) for task_id, fact in there.items()} == {
        task.id: (task.title, task.status, task.due_at) for task in history.tasks.values()
    }
    assert {task_id: fact.created_at for task_id, fact in facts.items()} == history.created
    done = {task_id: fact.completed_at for task_id, fact in facts.items() if fact.status == Status.DONE}
    assert done == history.completed


@PATIENT
@given(STEPS)
def test_the_title_of_a_deleted_task_is_removed(steps: list[Step]) -> None:
    facts = known(History(OWNER, Counter(), steps).events).values()
    assert {fact.title for fact in facts if fact.deleted_at} <= {""}


def test_a_completion_inferred_from_a_snapshot_is_replaced_by_its_event() -> None:
    steps: list[Step] = [("create", 0, Status.TODO, 1), ("status", 0, Status.DONE, 5), ("title", 0, Status.DONE, 7)]
    history = History(OWNER, Counter(), [*steps, ("snapshot", 0, Status.TODO, 1)])
    [task] = history.tasks.values()
    completed, snapshot = history.events[1], history.events[-1]
    assert known([snapshot])[task.id].completed_at == task.updated_at
    assert known([snapshot, completed])[task.id].completed_at == history.completed[task.id] < task.updated_at


@pytest.mark.parametrize("name", ["task.created", "task.snapshot"])
def test_an_event_without_a_user_is_rejected(name: str) -> None:
    event = Event(UUID(int=1), name, None, FakeClock()(), {"tasks": []})
    with pytest.raises(ValueError, match="without a user"):
        facts_of(event)


def test_a_task_created_as_done_has_no_duration() -> None:
    steps: list[Step] = [("create", 0, Status.DONE, 1), ("create", 0, Status.TODO, 1), ("status", 1, Status.DONE, 3)]
    history = History(OWNER, Counter(), steps)
    imported, worked_on = known(history.events).values()
    assert (imported.completed_on, imported.seconds_to_completion) == (imported.created_on, None)
    assert worked_on.seconds_to_completion == timedelta(hours=3).total_seconds()
