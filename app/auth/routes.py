"""/auth: registration, log-in and sessions."""

from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Literal
from uuid import UUID

import structlog
from flask import Blueprint, Response, jsonify, request
from flask_openapi.blueprint import APIBlueprint
from flask_openapi.models.media_type import MediaType
from flask_openapi.models.request_body import RequestBody
from flask_openapi.models.schema import Schema
from pydantic import BaseModel, Field, SecretStr, ValidationError

from app.auth.account_routes import PREFIX as ACCOUNT
from app.auth.account_routes import Name, Password, TypedPassword, UserBody
from app.auth.registration import RegistrationService
from app.auth.service import AuthService
from app.auth.sessions import SessionService
from app.core.http.authentication import Authenticator, current_caller
from app.core.http.cache_control import SHARED, STALE, kept, public
from app.core.http.devices import Devices
from app.core.http.json_body import has_body, require_json
from app.core.http.problems import validation_problem
from app.core.http.rate_limits import Limits
from app.core.http.schemas import MultilineText, Pattern, RequestModel, ResponseModel, identifier
from app.core.security.tokens import AccessTokens
from app.core.text import normalise_email

PREFIX = "/api/v1"

# What browsers accept in <input type=email> (HTML Standard, "valid e-mail address"), with a dot in the domain.
LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
EMAIL = rf"[A-Za-z0-9.!#$%&'*+/=?^_`{{|}}~-]{{1,64}}@{LABEL}(?:\.{LABEL})+"

TOKEN_LENGTH = 2000
"""Longest refresh token accepted, in characters; those issued have 97."""

KEYS_LIFETIME = 300
"""Seconds for which shared caches and clients together may cache the public keys: a new key is published that long
before it signs."""

Email = Annotated[str, Field(max_length=254), Pattern(EMAIL, "must be an e-mail address")]


class Registration(RequestModel):
    email: Email
    password: Password
    name: Name


class Credentials(RequestModel):
    email: Annotated[str, MultilineText(254)]
    password: TypedPassword


class RefreshRequest(RequestModel):
    refresh_token: Annotated[SecretStr, Field(max_length=TOKEN_LENGTH)]


class LogoutRequest(RequestModel):
    refresh_token: Annotated[SecretStr | None, Field(max_length=TOKEN_LENGTH)] = None


class SessionPath(BaseModel):
    session_id: Annotated[str, Field(json_schema_extra={"format": "uuid"})]


class SessionBody(ResponseModel):
    id: UUID
    created_at: datetime
    last_used_at: Annotated[datetime, Field(description="Time of the log-in or the last refresh")]
    current: Annotated[bool, Field(description="Whether it is the session of this request")]


class SessionList(ResponseModel):
    items: list[SessionBody]


class TokenBody(ResponseModel):
    access_token: str
    refresh_token: str
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105 a scheme, no secret
    expires_in: Annotated[int, Field(description="Lifetime of the access token in seconds")]


def public_blueprint(
    service: AuthService, registration: RegistrationService, limits: Limits, devices: Devices
) -> APIBlueprint:
    """Routes without authentication."""
    blueprint = APIBlueprint("auth", __name__, url_prefix=PREFIX, abp_tags=[{"name": "auth"}])
    blueprint.before_request(require_json)

    @blueprint.before_request
    def bind_remote_address() -> None:
        structlog.contextvars.bind_contextvars(remote=request.remote_addr)  # for the log lines of log-ins

    @blueprint.post("/auth/register", responses={201: UserBody}, operation_id="register")
    @limits.registrations
    @limits.passwords.registrations
    def register(body: Registration) -> Response:
        """Open an account

        With mail enabled, a taken address gets the same response, with an identifier that belongs to no account, and
        its owner a mail. Without mail the response is 409.
        """
        user = registration.register(body.email, body.password.get_secret_value(), body.name)
        response = UserBody.model_validate(user).response(HTTPStatus.CREATED)
        response.headers["Location"] = ACCOUNT
        return response

    @blueprint.post("/auth/login", responses={200: TokenBody}, operation_id="login")
    @limits.passwords.log_ins
    def login(body: Credentials) -> Response:
        """Log in"""
        pair = service.login(body.email, body.password.get_secret_value())
        response = TokenBody.model_validate(pair).response()
        devices.remember(response, normalise_email(body.email))
        return response

    @blueprint.post("/auth/refresh", responses={200: TokenBody}, operation_id="refresh")
    def refresh(body: RefreshRequest) -> Response:
        """Exchange a refresh token for a new pair; reuse works for seconds only, then it ends the session"""
        return TokenBody.model_validate(service.refresh(body.refresh_token.get_secret_value())).response()

    return blueprint


def session_blueprint(service: AuthService, sessions: SessionService, authenticator: Authenticator) -> APIBlueprint:
    """Routes of an authenticated session."""
    blueprint = APIBlueprint(
        "session", __name__, url_prefix=PREFIX, abp_tags=[{"name": "auth"}], abp_security=[{"bearer": []}]
    )
    authenticator.protect(blueprint)
    blueprint.before_request(require_json)
    optional = RequestBody(
        required=False,
        content={"application/json": MediaType(schema=Schema(**LogoutRequest.model_json_schema()))},
    )

    @blueprint.post("/auth/logout", request_body=optional, responses={204: None}, operation_id="logout")
    def logout() -> Response:
        """End the session: its access and refresh tokens are rejected from now on"""
        try:
            given = LogoutRequest.model_validate(request.get_json() if has_body() else {})
        except ValidationError as error:
            return validation_problem(error)
        token = given.refresh_token.get_secret_value() if given.refresh_token else None
        service.logout(current_caller().user_id, current_caller().session_id, token)
        return Response(status=HTTPStatus.NO_CONTENT)

    @blueprint.post("/auth/logout-everywhere", responses={204: None}, operation_id="logout_everywhere")
    def logout_everywhere() -> Response:
        """End every session, this one too"""
        sessions.end_all(current_caller().user_id)
        return Response(status=HTTPStatus.NO_CONTENT)

    @blueprint.get("/auth/sessions", responses={200: SessionList}, operation_id="list_sessions")
    def list_sessions() -> Response:
        """List the caller's sessions"""
        here = current_caller()
        items = [
            SessionBody(
                id=session.id,
                created_at=session.created_at,
                last_used_at=session.last_used_at,
                current=session.id == here.session_id,
            )
            for session in sessions.list(here.user_id)
        ]
        return SessionList(items=items).response()

    @blueprint.delete("/auth/sessions/<session_id>", responses={204: None}, operation_id="end_session")
    def end_session(path: SessionPath) -> Response:
        """End one session"""
        sessions.end_one(current_caller().user_id, identifier(path.session_id, "There is no such session."))
        return Response(status=HTTPStatus.NO_CONTENT)

    return blueprint


def keys_blueprint(tokens: AccessTokens) -> Blueprint:
    """Public keys (JWKS), also at the well-known URL that libraries expect."""
    blueprint = Blueprint("keys", __name__)

    @blueprint.get(f"{PREFIX}/auth/jwks.json")
    @blueprint.get("/.well-known/jwks.json")
    def jwks() -> Response:
        return kept(jsonify(tokens.jwks()), public(KEYS_LIFETIME - SHARED - STALE))

    return blueprint
