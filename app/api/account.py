"""/users/me: one's own account."""

from datetime import datetime
from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from flask import Response
from flask_openapi.blueprint import APIBlueprint
from pydantic import Field, SecretStr

from app.api.body import require_json
from app.api.guard import Guard, principal
from app.api.schemas import Line, Shown, Strict
from app.services.auth.model import Role
from app.services.auth.service import AuthService

Name = Annotated[Line, Field(max_length=200)]
Password = Annotated[SecretStr, Field(min_length=8, max_length=128)]


class AccountChange(Strict):
    name: Name


class PasswordChange(Strict):
    current_password: Annotated[SecretStr, Field(max_length=128)]
    new_password: Password


class UserBody(Shown):
    id: UUID
    email: str
    name: str
    role: Role
    created_at: datetime


def blueprint(service: AuthService, guard: Guard) -> APIBlueprint:
    """The account of who asks."""
    account = APIBlueprint(
        "account",
        __name__,
        url_prefix="/api/v1/users/me",
        abp_tags=[{"name": "account"}],
        abp_security=[{"bearer": []}],
    )
    guard.protect(account, kept=frozenset({"me"}))
    account.before_request(require_json)

    @account.get("", responses={200: UserBody}, operation_id="me")
    def me() -> Response:
        """Show one's own account"""
        return UserBody.model_validate(service.user(principal().user_id)).response()

    @account.patch("", responses={200: UserBody}, operation_id="update_me")
    def update(body: AccountChange) -> Response:
        """Change one's own name"""
        return UserBody.model_validate(service.rename(principal().user_id, body.name)).response()

    @account.post("/password", responses={204: None}, operation_id="change_password")
    def change_password(body: PasswordChange) -> Response:
        """Change one's own password, which ends every other session"""
        service.change_password(
            principal().user_id,
            principal().session_id,
            body.current_password.get_secret_value(),
            body.new_password.get_secret_value(),
        )
        return Response(status=HTTPStatus.NO_CONTENT)

    return account
