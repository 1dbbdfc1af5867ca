"""/notifications: notifications and preferences of the caller."""

from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Literal
from uuid import UUID

from flask import Response
from flask_openapi.blueprint import APIBlueprint
from pydantic import BaseModel, Field

from app.core.http.authentication import Authenticator, current_caller
from app.core.http.json_body import require_json
from app.core.http.schemas import RequestModel, ResponseModel, identifier
from app.notifications.model import Kind, Preferences
from app.notifications.preference_schemas import PreferencesBody, PreferencesChange
from app.notifications.service import NO_SUCH_NOTIFICATION, NotificationService


class NotificationBody(ResponseModel):
    id: UUID
    kind: Literal[Kind.REMINDER]
    task_id: UUID
    title: Annotated[str, Field(description="Title of the task at that time")]
    created_at: datetime
    read_at: datetime | None


class NotificationPage(ResponseModel):
    items: list[NotificationBody]
    next_cursor: UUID | None
    unread: Annotated[int, Field(description="Number of unread notifications on all pages")]


class InboxEntry(ResponseModel):
    id: UUID
    kind: Kind
    task_id: Annotated[UUID | None, Field(description="The task, if it is about a single one")]
    title: Annotated[str, Field(description="Title of the task at that time, or what has happened")]
    created_at: datetime
    read_at: datetime | None


class InboxPage(ResponseModel):
    items: list[InboxEntry]
    next_cursor: UUID | None
    unread: Annotated[int, Field(description="Number of unread notifications on all pages")]


class NotificationParameters(RequestModel):
    limit: Annotated[int, Field(ge=1, le=100)] = 20
    cursor: Annotated[UUID | None, Field(description="`next_cursor` of the page before")] = None


class NotificationPath(BaseModel):
    notification_id: Annotated[str, Field(json_schema_extra={"format": "uuid"})]


def blueprint(service: NotificationService, authenticator: Authenticator) -> APIBlueprint:
    """Routes of the caller's notifications."""
    notifications = APIBlueprint(
        "notifications",
        __name__,
        url_prefix="/api/v1/notifications",
        abp_tags=[{"name": "notifications"}],
        abp_security=[{"bearer": []}],
    )
    authenticator.protect(notifications)
    notifications.before_request(require_json)

    @notifications.get("", responses={200: NotificationPage}, operation_id="list_notifications", deprecated=True)
    def list_notifications(query: NotificationParameters) -> Response:
        """List the caller's reminders, the newest first; `/notifications/inbox` has all kinds"""
        found, unread = service.find(current_caller().user_id, query.cursor, query.limit + 1, [Kind.REMINDER])
        items = [NotificationBody.model_validate(each) for each in found[: query.limit]]
        following = items[-1].id if len(found) > query.limit else None
        return NotificationPage(items=items, next_cursor=following, unread=unread).response()

    @notifications.get("/inbox", responses={200: InboxPage}, operation_id="list_inbox")
    def list_inbox(query: NotificationParameters) -> Response:
        """List the caller's notifications of all kinds, the newest first"""
        found, unread = service.find(current_caller().user_id, query.cursor, query.limit + 1)
        items = [InboxEntry.model_validate(each) for each in found[: query.limit]]
        following = items[-1].id if len(found) > query.limit else None
        return InboxPage(items=items, next_cursor=following, unread=unread).response()

    @notifications.post("/<notification_id>/read", responses={204: None}, operation_id="read_notification")
    def read(path: NotificationPath) -> Response:
        """Mark a notification as read"""
        service.mark_read(current_caller().user_id, identifier(path.notification_id, NO_SUCH_NOTIFICATION))
        return Response(status=HTTPStatus.NO_CONTENT)

    @notifications.post("/read", responses={204: None}, operation_id="read_notifications")
    def read_all() -> Response:
        """Mark all notifications as read"""
        service.mark_all_read(current_caller().user_id)
        return Response(status=HTTPStatus.NO_CONTENT)

    def preferences_of(user_id: UUID, preferences: Preferences) -> Response:
        return PreferencesBody.of(preferences, service.email_suspended(user_id)).response()

    @notifications.get("/preferences", responses={200: PreferencesBody}, operation_id="get_preferences")
    def preferences() -> Response:
        """Show the caller's notification preferences"""
        user_id = current_caller().user_id
        return preferences_of(user_id, service.preferences(user_id))

    @notifications.patch("/preferences", responses={200: PreferencesBody}, operation_id="update_preferences")
    def prefer(body: PreferencesChange) -> Response:
        """Change the caller's notification preferences"""
        user_id = current_caller().user_id
        return preferences_of(user_id, service.prefer(user_id, body.fields(), body.channels.choices()))

    @notifications.post("/email/resume", responses={204: None}, operation_id="resume_email")
    def resume_email() -> Response:
        """Send mails to the caller's address again, after a bounce or complaint"""
        service.resume_email(current_caller().user_id)
        return Response(status=HTTPStatus.NO_CONTENT)

    return notifications
