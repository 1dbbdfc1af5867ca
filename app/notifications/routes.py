"""/notifications: notifications and mail preferences of the caller."""

from datetime import datetime
from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from flask import Response
from flask_openapi.blueprint import APIBlueprint
from pydantic import BaseModel, Field

from app.core.http.authentication import Authenticator, current_caller
from app.core.http.json_body import require_json
from app.core.http.schemas import RequestModel, ResponseModel, drop_default, identifier
from app.notifications.model import Kind
from app.notifications.service import NO_SUCH_NOTIFICATION, NotificationService


class NotificationBody(ResponseModel):
    id: UUID
    kind: Kind
    task_id: UUID
    title: Annotated[str, Field(description="Title of the task at that time")]
    created_at: datetime
    read_at: datetime | None


class NotificationPage(ResponseModel):
    items: list[NotificationBody]
    next_cursor: UUID | None
    unread: Annotated[int, Field(description="Number of unread notifications on all pages")]


class NotificationParameters(RequestModel):
    limit: Annotated[int, Field(ge=1, le=100)] = 20
    cursor: Annotated[UUID | None, Field(description="`next_cursor` of the page before")] = None


class NotificationPath(BaseModel):
    notification_id: Annotated[str, Field(json_schema_extra={"format": "uuid"})]


class PreferencesBody(ResponseModel):
    reminder_mails: bool
    weekly_report: bool


class PreferencesChange(RequestModel):
    """Fields that are absent stay unchanged."""

    reminder_mails: bool = Field(default=True, json_schema_extra=drop_default, strict=True)
    weekly_report: bool = Field(default=False, json_schema_extra=drop_default, strict=True)


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

    @notifications.get("", responses={200: NotificationPage}, operation_id="list_notifications")
    def list_notifications(query: NotificationParameters) -> Response:
        """List the caller's notifications, the newest first"""
        found, unread = service.find(current_caller().user_id, query.cursor, query.limit + 1)
        items = [NotificationBody.model_validate(each) for each in found[: query.limit]]
        following = items[-1].id if len(found) > query.limit else None
        return NotificationPage(items=items, next_cursor=following, unread=unread).response()

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

    @notifications.get("/preferences", responses={200: PreferencesBody}, operation_id="get_preferences")
    def preferences() -> Response:
        """Show the caller's mail preferences"""
        return PreferencesBody.model_validate(service.preferences(current_caller().user_id)).response()

    @notifications.patch("/preferences", responses={200: PreferencesBody}, operation_id="update_preferences")
    def prefer(body: PreferencesChange) -> Response:
        """Change the caller's mail preferences"""
        given = {name: getattr(body, name) for name in body.model_fields_set}
        return PreferencesBody.model_validate(service.prefer(current_caller().user_id, given)).response()

    return notifications
