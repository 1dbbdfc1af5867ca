"""Histories of a user's tasks for hypothesis: the changes, their events, and the expected facts."""

import random
from collections import Counter
from collections.abc import Callable
from datetime import date, datetime
from uuid import UUID

from hypothesis import strategies as st

from app.core.events.model import Event
from app.tasks.events import snapshots
from app.tasks.model import Status, Task, TaskCreate, TaskPatch
from app.tasks.service import TaskService
from tests.support.fakes import FakeClock, FakeStorage

Step = tuple[str, int, Status, int]
"""Action, number of the task, status, and hours since the step before."""

ACTIONS = ("create", "status", "status", "title", "due", "delete", "snapshot")
STEPS = st.lists(
    st.tuples(st.sampled_from(ACTIONS), st.integers(0, 3), st.sampled_from(Status), st.integers(1, 40)), max_size=25
)

EVENTFUL: list[Step] = [
    *[("create", number, Status.TODO, 1) for number in range(4)],
    *[("status", number, Status.DONE, 20 + number) for number in range(3)],
    ("delete", 2, Status.TODO, 1),
    ("due", 2, Status.TODO, 1),
    ("status", 0, Status.TODO, 1),
    ("status", 0, Status.DONE, 70),
    ("snapshot", 0, Status.TODO, 1),
    ("create", 3, Status.TODO, 30),
    ("delete", 3, Status.TODO, 1),
]
"""Cases that random steps may miss: two durations that differ, deletion of a done and of an open task, the latter
created on a day without a completion, and a task that is reopened and completed again."""


class History:
    """Applies steps through the service, which emits events, and records the expected facts beside it."""

    def __init__(self, user_id: UUID, new_id: Callable[[], UUID], steps: list[Step]) -> None:
        self.user_id = user_id
        self.clock = FakeClock()
        self.created: dict[UUID, datetime] = {}
        self.completed: dict[UUID, datetime] = {}
        self._new_id = new_id
        self._storage = FakeStorage()
        self._service = TaskService(self._storage, self.clock, new_id)
        for step in steps:
            self._take(*step)

    @property
    def events(self) -> list[Event]:
        return self._storage.outbox.events

    @property
    def tasks(self) -> dict[UUID, Task]:
        """Existing tasks."""
        return self._storage.tasks.rows

    def scrambled(self, seed: int) -> list[Event]:
        """Return the events as an unordered at-least-once transport delivers them: reordered, some of them twice."""
        chance = random.Random(seed)  # noqa: S311 no secret
        events = self.events + [event for event in self.events if chance.random() < 0.3]
        chance.shuffle(events)
        return events

    def created_by_day(self) -> Counter[date]:
        return Counter(time.date() for time in self.created.values())

    def completed_by_day(self) -> Counter[date]:
        return Counter(time.date() for time in self.completed.values())

    def _take(self, action: str, number: int, status: Status, hours: int) -> None:
        self.clock.advance(hours=hours)
        if action == "create":
            task = self._service.create(self.user_id, TaskCreate(f"task {number}", status=status))
            self.created[task.id] = self.clock.now
            self._note(task.id, Status.TODO, status)
        elif action == "snapshot":
            for event in snapshots(self.user_id, list(self.tasks.values()), self._new_id, self.clock.now):
                self._storage.outbox.add(event)
        elif number < len(self.tasks):
            self._change(list(self.tasks.values())[number], action, status)

    def _change(self, task: Task, action: str, status: Status) -> None:
        if action == "delete":
            self._service.delete(self.user_id, task.id)
            return
        changes = {
            "status": TaskPatch(status=status),
            "title": TaskPatch(title=f"{task.title}!"),
            "due": TaskPatch(due_at=self.clock.now),
        }
        self._service.update(self.user_id, task.id, changes[action])
        if action == "status":
            self._note(task.id, task.status, status)

    def _note(self, task_id: UUID, before: Status, after: Status) -> None:
        """Record the last completion of a task, for as long as it is done."""
        if after is not Status.DONE:
            self.completed.pop(task_id, None)
        elif before is not Status.DONE:
            self.completed[task_id] = self.clock.now
