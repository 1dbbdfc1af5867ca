"""Unit of work of the tasks service."""

from sqlalchemy.orm import Session

from app.core.database.unit_of_work import UnitOfWork
from app.tasks.attachment_repository import SqlAttachments
from app.tasks.reminder_repository import SqlDueDates, SqlReminders
from app.tasks.repository import SqlTasks


class TaskUnitOfWork(UnitOfWork):
    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.tasks = SqlTasks(session)
        self.reminders = SqlReminders(session)
        self.due_dates = SqlDueDates(session)
        self.attachments = SqlAttachments(session)
