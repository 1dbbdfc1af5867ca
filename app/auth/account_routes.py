"""/users/me: the caller's account."""

import re
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Self
from uuid import UUID

from flask import Response, request
from flask_openapi.blueprint import APIBlueprint
from pydantic import AfterValidator, Field, SecretStr, WithJsonSchema
from pydantic_core import PydanticKnownError

from app.auth.account_deletion import AccountDeletionService
from app.auth.model import User
from app.auth.service import AuthService
from app.core.http.authentication import Authenticator, current_caller
from app.core.http.json_body import require_json
from app.core.http.rate_limits import Limits
from app.core.http.schemas import RequestModel, ResponseModel, SingleLineText
from app.core.http.signed_urls import SignedUrls
from app.core.security.roles import Role
from app.core.text import NFC_SHRINKS, opaque_string

PREFIX = "/api/v1/users/me"

Name = Annotated[str, SingleLineText(200)]

SHORTEST_PASSWORD, LONGEST_PASSWORD = 8, 128
"""Characters, after normalisation (`opaque_string`)."""

PASSWORD = re.compile(r"[^\x00-\x1f\x7f-\x9f]*")


def check_new_password(typed: SecretStr) -> SecretStr:
    """Validate a new password (RFC 8265, section 4.2). Raises ValueError with a message for the client."""
    password = opaque_string(typed.get_secret_value())
    if len(password) < SHORTEST_PASSWORD:
        raise PydanticKnownError("string_too_short", {"min_length": SHORTEST_PASSWORD})
    if len(password) > LONGEST_PASSWORD:
        raise PydanticKnownError("string_too_long", {"max_length": LONGEST_PASSWORD})
    if not PASSWORD.fullmatch(password):
        raise ValueError("must not contain control characters")
    return typed


TypedPassword = Annotated[SecretStr, Field(max_length=NFC_SHRINKS * LONGEST_PASSWORD)]
"""A password to be verified, before normalisation, which may shorten it."""

Password = Annotated[
    TypedPassword,
    AfterValidator(check_new_password),
    WithJsonSchema(
        {
            "type": "string",
            "format": "password",
            "writeOnly": True,
            "minLength": SHORTEST_PASSWORD,
            "maxLength": LONGEST_PASSWORD,
            "pattern": f"^{PASSWORD.pattern}$",
        }
    ),
]
"""A password to be set."""


class AccountChange(RequestModel):
    name: Name


class PasswordChange(RequestModel):
    current_password: TypedPassword
    new_password: Password


class AccountDeletion(RequestModel):
    password: Annotated[TypedPassword, Field(description="The current password")]


class UserBody(ResponseModel):
    id: UUID
    email: str
    name: str
    role: Role
    email_verified: Annotated[bool, Field(description="Whether the address was verified by a mailed link")] = False
    avatar_url: Annotated[str | None, Field(description="URL of the avatar, valid for at least an hour")] = None
    created_at: datetime

    @classmethod
    def from_user(cls, user: User, urls: SignedUrls) -> Self:
        """Return the body of an account, with the signed URL of its avatar."""
        url = urls.url_for(user.avatar_id) if user.avatar_id else None
        return cls.model_validate(user).model_copy(update={"avatar_url": url})


class MyAccount(UserBody):
    mail_enabled: Annotated[bool, Field(description="Whether this deployment sends mail, which verification needs")]

    @classmethod
    def of_caller(cls, user: User, urls: SignedUrls, mail_enabled: bool) -> Self:
        """Return the body of the caller's own account."""
        return cls(**dict(UserBody.from_user(user, urls)), mail_enabled=mail_enabled)


def blueprint(
    service: AuthService,
    deletion: AccountDeletionService,
    authenticator: Authenticator,
    limits: Limits,
    urls: SignedUrls,
    mail_enabled: bool,
) -> APIBlueprint:
    """Routes of the caller's account.

    Args:
        mail_enabled: whether the deployment sends mail.
    """
    account = APIBlueprint(
        "account",
        __name__,
        url_prefix=PREFIX,
        abp_tags=[{"name": "account"}],
        abp_security=[{"bearer": []}],
    )
    authenticator.protect(account, cached=frozenset({"me"}))
    account.before_request(require_json)

    def shown(user: User) -> Response:
        return MyAccount.of_caller(user, urls, mail_enabled).response()

    @account.get("", responses={200: MyAccount}, operation_id="me")
    def me() -> Response:
        """Show the caller's account"""
        return shown(service.user(current_caller().user_id))

    @account.patch("", responses={200: MyAccount}, operation_id="update_me")
    def update(body: AccountChange) -> Response:
        """Change the caller's name"""
        return shown(service.rename(current_caller().user_id, body.name))

    @account.post("/password", responses={204: None}, operation_id="change_password")
    @limits.passwords.current
    def change_password(body: PasswordChange) -> Response:
        """Change the caller's password; ends every other session"""
        service.change_password(
            current_caller().user_id,
            current_caller().session_id,
            body.current_password.get_secret_value(),
            body.new_password.get_secret_value(),
        )
        return Response(status=HTTPStatus.NO_CONTENT)

    @account.delete("", responses={204: None}, operation_id="delete_me")
    @limits.passwords.current
    def delete(body: AccountDeletion) -> Response:
        """Delete the caller's account and all its data"""
        deletion.delete_own(current_caller().user_id, body.password.get_secret_value(), request.remote_addr or "")
        return Response(status=HTTPStatus.NO_CONTENT)

    return account
