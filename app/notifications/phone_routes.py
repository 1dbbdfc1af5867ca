"""/notifications/phone: the caller's telephone number."""

from http import HTTPStatus
from typing import Annotated

from flask import Response
from flask_openapi.blueprint import APIBlueprint
from pydantic import Field

from app.core.http.authentication import Authenticator, current_caller
from app.core.http.json_body import require_json
from app.core.http.rate_limits import Limits
from app.core.http.schemas import Pattern, RequestModel, ResponseModel
from app.notifications.model import Phone
from app.notifications.phone_numbers import PhoneService


class PhoneBody(ResponseModel):
    number: Annotated[str | None, Field(description="In E.164; null for none")]
    verified: bool
    suspended: Annotated[str | None, Field(description="Why nothing is sent there any more, if so")]
    enabled: Annotated[bool, Field(description="Whether this server sends SMS")]


class PhoneChange(RequestModel):
    number: Annotated[str, Field(max_length=40, description="A mobile number with its country code")]


class CodeBody(RequestModel):
    code: Annotated[str, Field(max_length=6), Pattern("[0-9]{6}", "must be the six digits of the SMS")]


def blueprint(service: PhoneService, authenticator: Authenticator, limits: Limits) -> APIBlueprint:
    """Routes of the caller's number."""
    phone = APIBlueprint(
        "phone",
        __name__,
        url_prefix="/api/v1/notifications/phone",
        abp_tags=[{"name": "notifications"}],
        abp_security=[{"bearer": []}],
    )
    authenticator.protect(phone)
    phone.before_request(require_json)

    def body_of(found: Phone | None) -> PhoneBody:
        if found is None:
            return PhoneBody(number=None, verified=False, suspended=None, enabled=service.enabled)
        return PhoneBody(
            number=found.number, verified=found.verified, suspended=found.suspended, enabled=service.enabled
        )

    @phone.get("", responses={200: PhoneBody}, operation_id="get_phone")
    def show() -> Response:
        """Show the caller's telephone number"""
        return body_of(service.get(current_caller().user_id)).response()

    @phone.put("", responses={202: PhoneBody}, operation_id="change_phone")
    @limits.sms_codes
    def change(body: PhoneChange) -> Response:
        """Store the caller's telephone number, and send a code there, good for 10 minutes and 5 tries"""
        return body_of(service.change(current_caller().user_id, body.number)).response(HTTPStatus.ACCEPTED)

    @phone.post("/verify", responses={200: PhoneBody}, operation_id="verify_phone")
    def verify(body: CodeBody) -> Response:
        """Verify the number by the code"""
        return body_of(service.verify(current_caller().user_id, body.code)).response()

    @phone.delete("", responses={204: None}, operation_id="delete_phone")
    def delete() -> Response:
        """Delete the caller's telephone number"""
        service.delete(current_caller().user_id)
        return Response(status=HTTPStatus.NO_CONTENT)

    return phone
