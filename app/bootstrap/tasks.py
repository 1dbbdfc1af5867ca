"""Wiring of the tasks service."""

from typing import TYPE_CHECKING

from app.bootstrap.platform import Platform
from app.bootstrap.wiring import Service
from app.core.clock import new_id, utc_now
from app.core.jobs.model import JobKind
from app.core.jobs.polling_loop import PollingLoop
from app.tasks import export_job
from app.tasks.attachments import AttachmentService
from app.tasks.cursors import Cursors
from app.tasks.events import EVENTS
from app.tasks.export_job import ExportTasks
from app.tasks.import_job import ImportTasks
from app.tasks.import_plan import ignored_columns
from app.tasks.normalise_job import NormaliseTasks
from app.tasks.personal_data import AttachmentsData, TasksData, erase
from app.tasks.reminders import OverdueService, ReminderService
from app.tasks.retention import RULES
from app.tasks.service import TaskService
from app.tasks.snapshot_job import SnapshotTasks
from app.tasks.unit_of_work import TaskUnitOfWork

if TYPE_CHECKING:
    from flask_openapi.blueprint import APIBlueprint

    from app.core.jobs.service import JobService


class Tasks(Service):
    name = "tasks"
    rules = RULES
    events = EVENTS
    erase = staticmethod(erase)

    def __init__(self, platform: Platform) -> None:
        storage = platform.storage(TaskUnitOfWork)
        self._platform = platform
        self.storage = storage
        self.service = TaskService(storage, utc_now, new_id)
        self.attachments = AttachmentService(storage, platform.file_store, utc_now, platform.settings.attachment_quota)
        self.cursors = Cursors(*platform.keys("cursor"))
        self.kinds = {"import": JobKind(details=ignored_columns), "export": export_job.KIND}
        self.handlers = {
            "import": ImportTasks(utc_now, new_id),
            "export": ExportTasks(utc_now),
            "snapshot": SnapshotTasks(utc_now, new_id),
            "normalise": NormaliseTasks(),
        }
        self.data = (TasksData(), AttachmentsData(platform.file_store))
        reminders = ReminderService(storage, utc_now, new_id)
        overdue = OverdueService(storage, utc_now, new_id)
        self.loops = (
            PollingLoop("reminders", reminders.run_once, platform.settings.job_poll),
            PollingLoop("overdue", overdue.run_once, platform.settings.job_poll),
        )

    def blueprints(self, jobs: "JobService") -> "list[APIBlueprint]":
        from app.core.jobs import routes as jobs_routes
        from app.tasks import attachment_routes, bulk_routes, import_export_routes, routes

        authenticator, urls = self._platform.authenticator, self._platform.signed_urls
        return [
            routes.blueprint(self.service, authenticator, self.cursors),
            bulk_routes.blueprint(self.service, authenticator),
            attachment_routes.blueprint(self.attachments, authenticator, urls),
            import_export_routes.blueprint(jobs, authenticator, self._platform.settings.import_bytes),
            jobs_routes.blueprint(jobs, authenticator),
        ]
