"""/notifications/bounces: notices of mail providers, which authenticate by a signature or a password."""

import hmac
from http import HTTPStatus
from typing import Any

from flask import Response, current_app, request
from flask_openapi.blueprint import APIBlueprint

from app.core.errors import MalformedError, NotFoundError, UnauthenticatedError
from app.core.security.sns_messages import SnsTopic
from app.notifications.bounces import BounceService, of_postmark, of_ses

PATH = "/api/v1/notifications/bounces"


def blueprint(service: BounceService, topic: SnsTopic | None, password: str | None) -> APIBlueprint:
    """Routes of the providers.

    Args:
        service: suspends addresses.
        topic: of Amazon SES's notices; None for none.
        password: of Postmark's notices (HTTP basic authentication); None for none.
    """
    bounces = APIBlueprint("bounces", __name__, url_prefix=PATH, doc_ui=False)

    @bounces.post("/ses")
    def ses() -> Response:
        if topic is None:
            raise NotFoundError("This server takes no notices of Amazon SES.")
        # SNS sends JSON as text/plain.
        if (text := topic.read(_object(request.get_data()))) is not None:
            service.suspend(of_ses(_object(text)))
        return Response(status=HTTPStatus.NO_CONTENT)

    @bounces.post("/postmark")
    def postmark() -> Response:
        if password is None:
            raise NotFoundError("This server takes no notices of Postmark.")
        given = (request.authorization and request.authorization.password) or ""
        if not hmac.compare_digest(given.encode(), password.encode()):
            raise UnauthenticatedError("The notice needs the password of the settings.")
        service.suspend(of_postmark(_object(request.get_data())))
        return Response(status=HTTPStatus.NO_CONTENT)

    return bounces


def _object(text: str | bytes) -> dict[str, Any]:
    """Parse a JSON object. Raises MalformedError."""
    try:
        value = current_app.json.loads(text)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise MalformedError("body", "must be a JSON object")
    return value
