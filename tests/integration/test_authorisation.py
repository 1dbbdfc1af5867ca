"""Who may call what: every operation of the OpenAPI document, by everybody who should not."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import jwt
import pytest
from flask_openapi.openapi import OpenAPI

from app.api.openapi import document
from app.platform.keys import SigningKey, derive
from app.platform.tokens import AccessTokens
from tests.support.api import Person, assert_problem
from tests.support.server import SECRET

PUBLIC = {"register", "login", "refresh"}
KEY = derive(SECRET, "access-token")


def protected(app: OpenAPI) -> list[tuple[str, str]]:
    """Return method and path of every operation that needs a log-in."""
    return [
        (method.upper(), path.replace("{task_id}", str(uuid4())))
        for path, item in document(app)["paths"].items()
        for method, operation in item.items()
        if operation["operationId"] not in PUBLIC
    ]


def claims_of(person: Person) -> dict[str, object]:
    claims: dict[str, object] = jwt.decode(person.access_token, options={"verify_signature": False})
    return claims


def forged(person: Person, **change: object) -> str:
    """Return this person's token with something changed, signed with the right key."""
    headers = {"typ": "at+jwt", "kid": KEY.kid}
    return jwt.encode({**claims_of(person), **change}, KEY.secret, "HS256", headers=headers)


def without(person: Person, claim: str) -> str:
    claims = {name: value for name, value in claims_of(person).items() if name != claim}
    return jwt.encode(claims, KEY.secret, "HS256", headers={"typ": "at+jwt", "kid": KEY.kid})


WRONG: dict[str, Callable[[Person], str]] = {
    "no header": lambda _: "",
    "another scheme": lambda person: f"Basic {person.access_token}",
    "no token": lambda _: "Bearer ",
    "nonsense": lambda _: "Bearer a.b.c",
    "expired": lambda person: f"Bearer {forged(person, exp=int(datetime.now(UTC).timestamp()) - 1)}",
    "another audience": lambda person: f"Bearer {forged(person, aud='elsewhere')}",
    "another issuer": lambda person: f"Bearer {forged(person, iss='elsewhere')}",
    "another user's session": lambda person: f"Bearer {forged(person, sub=str(uuid4()))}",
    "a session that never was": lambda person: f"Bearer {forged(person, sid=str(uuid4()))}",
    "a subject that is no identifier": lambda person: f"Bearer {forged(person, sub='1')}",
    "no expiry": lambda person: f"Bearer {without(person, 'exp')}",
    "no session": lambda person: f"Bearer {without(person, 'sid')}",
    "another key": lambda person: (
        "Bearer " + jwt.encode(claims_of(person), b"x" * 32, "HS256", headers={"typ": "at+jwt", "kid": KEY.kid})
    ),
    "an unknown key": lambda person: (
        "Bearer " + jwt.encode(claims_of(person), KEY.secret, "HS256", headers={"typ": "at+jwt", "kid": "other"})
    ),
    "another algorithm": lambda person: (
        "Bearer " + jwt.encode(claims_of(person), KEY.secret * 2, "HS512", headers={"typ": "at+jwt", "kid": KEY.kid})
    ),
    "no signature": lambda person: (
        "Bearer " + jwt.encode(claims_of(person), "", "none", headers={"typ": "at+jwt", "kid": KEY.kid})
    ),
    "another type": lambda person: (
        "Bearer " + jwt.encode(claims_of(person), KEY.secret, "HS256", headers={"typ": "JWT", "kid": KEY.kid})
    ),
}


@pytest.mark.parametrize("how", WRONG)
def test_nobody_gets_in_without_a_valid_token(app: OpenAPI, person: Person, how: str) -> None:
    header = WRONG[how](person)
    operations = protected(app)
    assert len(operations) >= 7
    for method, path in operations:
        # a body that breaks its schema: who may not come in does not learn that
        response = person.client.open(
            path, method=method, json={"unknown": 1}, headers={"Authorization": header} if header else {}
        )
        assert_problem(response, 401)
        assert response.headers["WWW-Authenticate"].startswith("Bearer")
    assert person.call("GET", "/users/me").status_code == 200


def test_a_key_that_is_being_replaced_still_verifies() -> None:
    old, new = derive(SECRET, "old"), derive(SECRET, "new")
    user_id, session_id, token_id = UUID(int=1), UUID(int=2), UUID(int=3)
    token = AccessTokens(old, timedelta(minutes=1)).issue(user_id, session_id, token_id, datetime.now(UTC))
    claims = AccessTokens(new, timedelta(minutes=1), accepted=(old,)).verify(token)
    assert (claims.user_id, claims.session_id, claims.token_id) == (user_id, session_id, token_id)
    assert isinstance(old, SigningKey)
