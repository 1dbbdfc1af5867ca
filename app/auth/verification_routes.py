"""/auth/verification: e-mail verification."""

from http import HTTPStatus
from typing import Annotated

from flask import Response
from flask_openapi.blueprint import APIBlueprint
from pydantic import Field, SecretStr

from app.auth.email_verification import EmailVerificationService
from app.core.http.authentication import Authenticator, current_caller
from app.core.http.json_body import require_json
from app.core.http.rate_limits import Limits
from app.core.http.schemas import RequestModel

PREFIX = "/api/v1/auth/verification"

TOKEN_LENGTH = 200
"""Longest token accepted, in characters; those issued have 87."""


class Verification(RequestModel):
    token: Annotated[SecretStr, Field(max_length=TOKEN_LENGTH, description="Token of the link in the mail")]


def request_blueprint(service: EmailVerificationService, authenticator: Authenticator, limits: Limits) -> APIBlueprint:
    """Routes of an authenticated session."""
    requests = APIBlueprint(
        "verification", __name__, url_prefix=PREFIX, abp_tags=[{"name": "auth"}], abp_security=[{"bearer": []}]
    )
    authenticator.protect(requests)

    @requests.post("", responses={202: None}, operation_id="request_verification")
    @limits.verifications
    def request_verification() -> Response:
        """Mail another link to the caller's address, unless it is verified or mail is disabled"""
        service.request(current_caller().user_id)
        return Response(status=HTTPStatus.ACCEPTED)

    return requests


def confirm_blueprint(service: EmailVerificationService) -> APIBlueprint:
    """Routes without authentication: the mail may be read on another device."""
    confirmations = APIBlueprint("verification_confirm", __name__, url_prefix=PREFIX, abp_tags=[{"name": "auth"}])
    confirmations.before_request(require_json)

    @confirmations.post("/confirm", responses={204: None}, operation_id="confirm_verification")
    def confirm(body: Verification) -> Response:
        """Verify the address that the link was sent to, within 3 days"""
        service.confirm(body.token.get_secret_value())
        return Response(status=HTTPStatus.NO_CONTENT)

    return confirmations
