"""Authorisation: every operation of the OpenAPI document, with invalid tokens, other roles and other users.

The requirement numbers are those of the OWASP Application Security Verification Standard 5.0.0.
"""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from flask_openapi.openapi import OpenAPI

from app.bootstrap.container import Container
from app.core.http.openapi import document
from app.core.security.keys import SignatureKey, signature_key
from app.core.security.tokens import LEEWAY, AccessTokens
from tests.support.api import Person, assert_problem
from tests.support.notifications import remind_of
from tests.support.server import SECRET

PUBLIC = {
    "register", "login", "refresh", "download_file", "request_password_reset", "confirm_password_reset",
    "confirm_verification",
}  # fmt: skip
KEY = signature_key(SECRET)
STRANGE = SignatureKey(Ed25519PrivateKey.from_private_bytes(b"x" * 32))
HEADER = {"typ": "at+jwt", "kid": KEY.kid}


def protected(app: OpenAPI) -> list[tuple[str, str]]:
    """Return method and path of every protected operation, with unknown ids in the paths."""
    return [
        (method.upper(), "/".join(str(uuid4()) if part.startswith("{") else part for part in path.split("/")))
        for path, item in document(app)["paths"].items()
        for method, operation in item.items()
        if operation["operationId"] not in PUBLIC
    ]


def claims_of(person: Person) -> dict[str, object]:
    claims: dict[str, object] = jwt.decode(person.access_token, options={"verify_signature": False})
    return claims


def signed(claims: dict[str, object], key: Any = KEY.private, algorithm: str = "EdDSA", **header: object) -> str:
    return f"Bearer {jwt.encode(claims, key, algorithm, headers={**HEADER, **header})}"


def forged(person: Person, **change: object) -> str:
    """Return the person's token with changed claims, signed with the right key."""
    return signed({**claims_of(person), **change})


def without(person: Person, claim: str) -> str:
    return signed({name: value for name, value in claims_of(person).items() if name != claim})


def public_bytes(encoding: Encoding, form: PublicFormat) -> bytes:
    return KEY.public.public_bytes(encoding, form)


def by_public_key(person: Person, secret: bytes) -> str:
    """Return a token whose HMAC key is the public key, by hand: the library refuses to make one."""
    from jwt.algorithms import HMACAlgorithm
    from jwt.utils import base64url_encode

    header = b'{"typ":"at+jwt","alg":"HS256","kid":"' + KEY.kid.encode() + b'"}'
    body = json.dumps(claims_of(person))
    text = base64url_encode(header) + b"." + base64url_encode(body.encode())
    return f"Bearer {(text + b'.' + base64url_encode(HMACAlgorithm(HMACAlgorithm.SHA256).sign(text, secret))).decode()}"


WRONG: dict[str, Callable[[Person], str]] = {
    "no header": lambda _: "",
    "another scheme": lambda person: f"Basic {person.access_token}",
    "no token": lambda _: "Bearer ",
    "nonsense": lambda _: "Bearer a.b.c",
    # V9.2.1: outside its validity period
    "expired": lambda person: forged(person, exp=int(datetime.now(UTC).timestamp()) - 1),
    "no expiry": lambda person: without(person, "exp"),
    "of a clock far ahead": lambda person: forged(person, iat=int(datetime.now(UTC).timestamp()) + LEEWAY + 10),
    "not yet good": lambda person: forged(person, nbf=int(datetime.now(UTC).timestamp()) + LEEWAY + 10),
    # V9.2.3: another audience, issuer or subject
    "another audience": lambda person: forged(person, aud="elsewhere"),
    "another issuer": lambda person: forged(person, iss="elsewhere"),
    "another user's session": lambda person: forged(person, sub=str(uuid4())),
    "a session that never was": lambda person: forged(person, sid=str(uuid4())),
    "a subject that is no identifier": lambda person: forged(person, sub="1"),
    "no session": lambda person: without(person, "sid"),
    "no role": lambda person: without(person, "role"),
    # V9.1.1: not signed by us
    "another key": lambda person: signed(claims_of(person), STRANGE.private),
    "an unknown key": lambda person: signed(claims_of(person), STRANGE.private, kid=STRANGE.kid),
    "a changed claim": lambda person: f"Bearer {with_claims(person.access_token, role='admin')}",
    # V9.1.2: another algorithm
    "no signature": lambda person: signed(claims_of(person), "", "none"),
    "an HMAC with the public key": lambda person: by_public_key(person, public_bytes(Encoding.Raw, PublicFormat.Raw)),
    "an HMAC with the public key as PEM": lambda person: by_public_key(
        person, public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    ),
    # V9.1.3: a key that the token itself contains or refers to
    "a key in the token": lambda person: signed(claims_of(person), STRANGE.private, jwk=STRANGE.jwk()),
    "a key in the token, by its name": lambda person: signed(
        claims_of(person), STRANGE.private, jwk=STRANGE.jwk(), kid=STRANGE.kid
    ),
    "a key at an address": lambda person: signed(
        claims_of(person), STRANGE.private, jku="http://127.0.0.1:9/jwks.json", kid=STRANGE.kid
    ),
    "a key at a path": lambda person: signed(claims_of(person), b"x" * 32, "HS256", kid="../../../../dev/null"),
    # V9.2.2: another token type
    "another type": lambda person: signed(claims_of(person), typ="JWT"),
    "a refresh token": lambda person: f"Bearer {person.refresh_token}",
}


def with_claims(token: str, **change: object) -> str:
    """Return the token with other claims under the same signature."""
    from jwt.utils import base64url_encode

    header, _, signature = token.split(".")
    claims = jwt.decode(token, options={"verify_signature": False})
    return ".".join((header, base64url_encode(json.dumps({**claims, **change}).encode()).decode(), signature))


@pytest.mark.parametrize("how", WRONG)
def test_nobody_gets_in_without_a_valid_token(app: OpenAPI, person: Person, how: str) -> None:
    header = WRONG[how](person)
    operations = protected(app)
    assert len(operations) >= 7
    for method, path in operations:
        # a body that breaks its schema, which an unauthenticated caller must not learn
        response = person.client.open(
            path, method=method, json={"unknown": 1}, headers={"Authorization": header} if header else {}
        )
        assert_problem(response, 401)
        assert response.headers["WWW-Authenticate"].startswith("Bearer")
    assert person.call("GET", "/users/me").status_code == 200


@pytest.mark.parametrize("claim", ["iat", "nbf"])
def test_a_token_of_a_clock_that_is_ahead_is_good_at_once(person: Person, claim: str) -> None:
    ahead = int(datetime.now(UTC).timestamp()) + LEEWAY - 10
    answer = person.client.get("/api/v1/users/me", headers={"Authorization": forged(person, **{claim: ahead})})
    assert answer.status_code == 200


def test_every_route_is_in_the_document_or_known_to_be_public(app: OpenAPI) -> None:
    """A route that is in neither would escape the tests above."""
    documented = {path.replace("{", "<").replace("}", ">") for path in document(app)["paths"]}
    public = {
        "/", "/favicon.ico", "/static/<path:name>", "/static/v-<asked>/<path:name>",
        "/health/live", "/health/ready",
        "/.well-known/jwks.json", "/api/v1/auth/jwks.json",
        "/api/v1/openapi.json", "/api/v1/docs", "/api/v1/docs.css",
        "/api/v1/notifications/unsubscribe",
        "/api/v1/notifications/bounces/ses", "/api/v1/notifications/bounces/postmark",
    }  # fmt: skip
    assert {rule.rule for rule in app.url_map.iter_rules()} == documented | public


def test_only_administrators_get_into_administration(app: OpenAPI, person: Person) -> None:
    """V8.2.1: each operation checks its permission."""
    operations = [(method, path) for method, path in protected(app) if "/admin/" in path]
    assert len(operations) == 6
    for method, path in operations:
        response = person.client.open(
            path, method=method, json={}, headers={"Authorization": f"Bearer {person.access_token}"}
        )
        assert_problem(response, 403)


def test_no_operation_reaches_resources_of_another_user(person: Person, container: Container) -> None:
    """V8.2.2: an object of another user is as unknown as one that never existed."""
    other = Person(person.client).register()
    task = other.create()["id"]
    [session] = other.call("GET", "/auth/sessions").get_json()["items"]
    told = remind_of(container, other)
    for method, path, body in (
        ("GET", f"/tasks/{task}", None),
        ("PATCH", f"/tasks/{task}", {"title": "mine now"}),
        ("DELETE", f"/tasks/{task}", None),
        ("DELETE", f"/auth/sessions/{session['id']}", None),
        ("POST", f"/notifications/{told}/read", None),
    ):
        unknown = re.sub("[0-9a-f]{8}-[0-9a-f-]+", str(uuid4()), path)
        refused = assert_problem(person.call(method, path, json=body), 404)
        never = assert_problem(person.call(method, unknown, json=body), 404)
        assert refused["detail"] == never["detail"]
    assert other.call("GET", f"/tasks/{task}").get_json()["title"] == "A task"


def test_no_body_sets_protected_fields(app: OpenAPI, person: Person) -> None:
    """V15.3.3: mass assignment, over every body of the document."""
    tried = 0
    for path, item in document(app)["paths"].items():
        for method, operation in item.items():
            if "application/json" not in operation.get("requestBody", {}).get("content", {}) or path.startswith(
                "/api/v1/admin/"
            ):
                continue
            for field in ("id", "user_id", "role", "disabled", "created_at", "version", "password_hash"):
                response = person.client.open(
                    "/".join(str(uuid4()) if part.startswith("{") else part for part in path.split("/")),
                    method=method.upper(),
                    json={field: "admin"},
                    headers={"Authorization": f"Bearer {person.access_token}"},
                )
                problem = assert_problem(response, 422)
                # A union body needs its discriminator first.
                named = {error["code"]: error["field"] for error in problem["errors"]}
                assert named.get("extra_forbidden") == field or "union_tag_not_found" in named, (path, field, named)
                tried += 1
    assert tried >= 50


def test_a_key_that_is_being_replaced_still_verifies() -> None:
    old, new = signature_key(f"{SECRET} old"), signature_key(f"{SECRET} new")
    user_id, session_id, token_id = UUID(int=1), UUID(int=2), UUID(int=3)
    token = AccessTokens(old, timedelta(minutes=1)).issue(user_id, session_id, token_id, "user", datetime.now(UTC))
    replaced = AccessTokens(new, timedelta(minutes=1), accepted=(old,))
    claims = replaced.verify(token)
    assert (claims.user_id, claims.session_id, claims.token_id) == (user_id, session_id, token_id)
    assert [key["kid"] for key in replaced.jwks()["keys"]] == [new.kid, old.kid]


def test_the_published_keys_verify_our_tokens(person: Person) -> None:
    response = person.client.get("/.well-known/jwks.json")
    keys = jwt.PyJWKSet.from_dict(response.get_json())
    kid = jwt.get_unverified_header(person.access_token)["kid"]
    claims = jwt.decode(person.access_token, keys[kid], algorithms=["EdDSA"], audience="task-manager-api")
    assert claims["role"] == "user"
    assert "d" not in response.get_json()["keys"][0]
    assert response.headers["Cache-Control"] == "public, max-age=210, s-maxage=60, stale-while-revalidate=30"
