"""/admin: accounts and the audit log, for administrators."""

import csv
import io
import json
from collections.abc import Iterable, Iterator
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Literal
from uuid import UUID

from flask import Response, request, stream_with_context
from flask_openapi.blueprint import APIBlueprint
from pydantic import BaseModel, Field

from app.auth.account_deletion import AccountDeletionService
from app.auth.account_routes import UserBody
from app.auth.admin import NO_SUCH_USER, Actor, AdminService
from app.auth.model import AuditEntry, AuditFilters
from app.core.csv_safety import harmless
from app.core.http.authentication import Authenticator, current_caller, require_admin
from app.core.http.json_body import require_json
from app.core.http.schemas import MultilineText, RequestModel, ResponseModel, Time, drop_default, identifier
from app.core.http.signed_urls import SignedUrls
from app.core.pagination import page_of
from app.core.security.roles import Role

COLUMNS = ("id", "at", "actor_id", "action", "subject_id", "remote", "details")
NDJSON = "application/x-ndjson"
AuditAction = Annotated[str, MultilineText(50)]
Limit = Annotated[int, Field(ge=1, le=100)]
Cursor = Annotated[UUID, Field(description="`next_cursor` of the page before")]


class ManagedUser(UserBody):
    disabled: bool


class UserPage(ResponseModel):
    items: list[ManagedUser]
    next_cursor: UUID | None


class UserParameters(RequestModel):
    q: Annotated[str, MultilineText(254), Field(description="Part of the e-mail address")] = ""
    limit: Limit = 20
    cursor: Cursor | None = None


class UserPath(BaseModel):
    user_id: Annotated[str, Field(json_schema_extra={"format": "uuid"})]


class UserChange(RequestModel):
    """Fields that are absent stay unchanged."""

    role: Role = Field(default=Role.USER, json_schema_extra=drop_default)
    disabled: bool = Field(default=False, json_schema_extra=drop_default, strict=True)


class AuditBody(ResponseModel):
    id: UUID
    at: datetime
    actor_id: UUID | None
    action: str
    subject_id: UUID | None
    remote: str
    details: dict[str, str]


class AuditPage(ResponseModel):
    items: list[AuditBody]
    next_cursor: UUID | None


class AuditFilterParameters(RequestModel):
    actor: Annotated[UUID | None, Field(description="Only what this administrator did")] = None
    action: Annotated[AuditAction | None, Field(description="Only this action")] = None
    after: Annotated[Time | None, Field(description="At this time or later")] = None
    before: Annotated[Time | None, Field(description="Earlier than this time")] = None

    def filters(self) -> AuditFilters:
        return AuditFilters(self.actor, self.action, self.after, self.before)


class AuditParameters(AuditFilterParameters):
    limit: Limit = 20
    cursor: Cursor | None = None


class ExportParameters(AuditFilterParameters):
    format: Literal["csv", "ndjson"] = "csv"


def blueprint(
    service: AdminService, deletion: AccountDeletionService, authenticator: Authenticator, urls: SignedUrls
) -> APIBlueprint:
    """Routes for administrators."""
    admin = APIBlueprint(
        "admin", __name__, url_prefix="/api/v1/admin", abp_tags=[{"name": "admin"}], abp_security=[{"bearer": []}]
    )
    authenticator.protect(admin)
    admin.before_request(require_admin)
    admin.before_request(require_json)

    @admin.get("/users", responses={200: UserPage}, operation_id="list_users")
    def users(query: UserParameters) -> Response:
        """List accounts, the newest first"""
        found, last = page_of(query.limit, lambda most: service.users(query.q, query.cursor, most))
        items = [ManagedUser.from_user(user, urls) for user in found]
        return UserPage(items=items, next_cursor=last.id if last else None).response()

    @admin.patch("/users/<user_id>", responses={200: ManagedUser}, operation_id="update_user")
    def update(path: UserPath, body: UserChange) -> Response:
        """Change the role of an account, lock it or unlock it; ends its sessions"""
        given = {name: getattr(body, name) for name in body.model_fields_set}
        user = service.update(_actor(), identifier(path.user_id, NO_SUCH_USER), **given)
        return ManagedUser.from_user(user, urls).response()

    @admin.post("/users/<user_id>/logout", responses={204: None}, operation_id="log_user_out")
    def log_out(path: UserPath) -> Response:
        """End all sessions of an account"""
        service.log_out(_actor(), identifier(path.user_id, NO_SUCH_USER))
        return Response(status=HTTPStatus.NO_CONTENT)

    @admin.delete("/users/<user_id>", responses={204: None}, operation_id="delete_user")
    def delete(path: UserPath) -> Response:
        """Delete an account and all its data"""
        deletion.delete(_actor(), identifier(path.user_id, NO_SUCH_USER))
        return Response(status=HTTPStatus.NO_CONTENT)

    @admin.get("/audit", responses={200: AuditPage}, operation_id="list_audit")
    def audit(query: AuditParameters) -> Response:
        """Read the audit log, the newest entries first"""
        found, last = page_of(query.limit, lambda most: service.audit(query.filters(), query.cursor, most))
        items = [AuditBody.model_validate(entry) for entry in found]
        return AuditPage(items=items, next_cursor=last.id if last else None).response()

    @admin.get(
        "/audit/export",
        responses={200: {"content": {"text/csv": {}, NDJSON: {}}}},
        operation_id="export_audit",
    )
    def export(query: ExportParameters) -> Response:
        """Download the audit log, the oldest entries first"""
        entries = service.export_audit(_actor(), query.filters())
        lines, kind = (_csv(entries), "text/csv") if query.format == "csv" else (_ndjson(entries), NDJSON)
        response = Response(stream_with_context(lines), mimetype=kind)
        response.headers["Content-Disposition"] = f'attachment; filename="audit.{query.format}"'
        return response

    return admin


def _actor() -> Actor:
    return Actor(current_caller().user_id, request.remote_addr or "")


def _ndjson(entries: Iterable[AuditEntry]) -> Iterator[str]:
    for entry in entries:
        yield AuditBody.model_validate(entry).model_dump_json() + "\n"


def _csv(entries: Iterable[AuditEntry]) -> Iterator[str]:
    line = io.StringIO()
    writer = csv.DictWriter(line, COLUMNS)
    writer.writeheader()
    for entry in entries:
        shown = AuditBody.model_validate(entry).model_dump(mode="json")
        shown["details"] = json.dumps(shown["details"])
        writer.writerow({name: harmless(value) for name, value in shown.items()})
        yield line.getvalue()
        line.seek(0)
        line.truncate()
    yield line.getvalue()
