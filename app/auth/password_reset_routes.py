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
"""Longest token accepted, in characters; those issued have 76."""


class ResetRequest(RequestModel):
    email: Annotated[str, MultilineText(254)]


class NewPassword(RequestModel):
    token: Annotated[SecretStr, Field(max_length=TOKEN_LENGTH, description="Token of the link in the mail")]
    password: Password


def blueprint(service: PasswordResetService, limits: Limits) -> APIBlueprint:
    """Routes without authentication: the user can't log in."""
    resets = APIBlueprint(
        "password_reset", __name__, url_prefix="/api/v1/auth/password-reset", abp_tags=[{"name": "auth"}]
    )
    resets.before_request(require_json)

    @resets.post("", responses={202: None}, operation_id="request_password_reset")
    @limits.resets
    def request_reset(body: ResetRequest) -> Response:
        """Mail a reset link to an account; an address without one gets the same response"""
        service.request(body.email)
        return Response(status=HTTPStatus.ACCEPTED)

    @resets.post("/confirm", responses={204: None}, operation_id="confirm_password_reset")
    @limits.passwords.resets
    def confirm(body: NewPassword) -> Response:
        """Set a new password, once and within 30 minutes; ends all sessions of the account"""
        service.confirm(body.token.get_secret_value(), body.password.get_secret_value(), request.remote_addr or "")
        return Response(status=HTTPStatus.NO_CONTENT)

    return resets
