"""/auth/password-reset: request and confirm a password reset."""

from http import HTTPStatus
from typing import Annotated

from flask import Response, request
from flask_openapi.blueprint import APIBlueprint
from pydantic import Field, SecretStr

from app.auth.account_routes import Password
from app.auth.password_resets import PasswordResetService
from app.core.http.json_body import require_json
from app.core.http.rate_limits import Limits
from app.core.http.schemas import MultilineText, RequestModel

TOKEN_LENGTH = 200
"""Characters of a token that are looked at; those issued have 76."""


class ResetRequest(RequestModel):
    email: Annotated[str, MultilineText(254)]


class NewPassword(RequestModel):
    token: Annotated[SecretStr, Field(max_length=TOKEN_LENGTH, description="What the link in the mail holds")]
    password: Password


def blueprint(service: PasswordResetService, limits: Limits) -> APIBlueprint:
    """What needs no log-in: its user has none."""
    resets = APIBlueprint(
        "password_reset", __name__, url_prefix="/api/v1/auth/password-reset", abp_tags=[{"name": "auth"}]
    )
    resets.before_request(require_json)

    @resets.post("", responses={202: None}, operation_id="request_password_reset")
    @limits.resets
    def ask(body: ResetRequest) -> Response:
        """Have a link sent to the address of an account; the answer is the same if there is none"""
        service.request(body.email)
        return Response(status=HTTPStatus.ACCEPTED)

    @resets.post("/confirm", responses={204: None}, operation_id="confirm_password_reset")
    @limits.passwords.resets
    def confirm(body: NewPassword) -> Response:
        """Give the account a new password, once and within 30 minutes; ends all its sessions"""
        service.confirm(body.token.get_secret_value(), body.password.get_secret_value(), request.remote_addr or "")
        return Response(status=HTTPStatus.NO_CONTENT)

    return resets
