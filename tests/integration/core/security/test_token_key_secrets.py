"""The Secrets of docs/edge.md, by which Kong knows the keys of tokens: made of the keys that the API publishes."""

import json
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import jwt
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.security.keys import signature_key
from app.core.security.tokens import ALGORITHM, AUDIENCE, AccessTokens

PAGE = (Path(__file__).resolve().parents[4] / "docs" / "edge.md").read_text()
PROGRAM = PAGE.split("| jq '")[1].split("' |\n")[0]
ID = UUID(int=1)


def secrets(published: Any) -> list[dict[str, Any]]:
    """The Secrets that the page's command makes of published keys."""
    done = subprocess.run(["jq", PROGRAM], input=json.dumps(published), capture_output=True, text=True, check=True)
    listed: dict[str, Any] = json.loads(done.stdout)
    return list(listed["items"])


@settings(max_examples=25, deadline=None)
@given(st.lists(st.binary(min_size=32, max_size=32), min_size=1, max_size=3, unique=True))
def test_each_key_of_the_api_has_a_secret_that_verifies_its_tokens(material: list[bytes]) -> None:
    keys = [signature_key(each.hex()) for each in material]
    made = secrets(AccessTokens(keys[0], timedelta(minutes=15), tuple(keys[1:])).jwks())
    assert [each["stringData"]["key"] for each in made] == [key.kid for key in keys]
    for key, secret in zip(keys, made, strict=True):
        data = secret["stringData"]
        token = AccessTokens(key, timedelta(minutes=15)).issue(ID, ID, ID, "user", datetime.now(UTC))
        assert jwt.get_unverified_header(token)["kid"] == data["key"]
        public = data["rsa_public_key"]
        assert jwt.decode(token, public, algorithms=[data["algorithm"]], audience=AUDIENCE)["sub"] == str(ID)
        assert data["algorithm"] == ALGORITHM
        assert secret["metadata"]["labels"] == {"konghq.com/credential": "jwt"}
        assert secret["metadata"]["name"].removeprefix("task-manager-token-key-").isalnum()
