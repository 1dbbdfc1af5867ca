"""Verification by the issuer's public keys, fetched from a real HTTP server."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from structlog.testing import capture_logs

from app.core.security.keys import SignatureKey, signature_key
from app.core.security.remote_keys import COOLDOWN, LIFETIME, MOST_BYTES, MOST_KEYS, RemoteKeys
from app.core.security.tokens import AccessTokens, InvalidTokenError, KeysUnavailableError, TokenVerifier
from tests.support.issuer import SECRET, Issuer, issuer
from tests.support.ports import wait_for

OLD, NEW = signature_key(SECRET), signature_key(f"{SECRET} new")
STRANGE = SignatureKey(Ed25519PrivateKey.generate())


@dataclass
class Scene:
    """A verifier and its issuer, at a time that is set."""

    issuer: Issuer
    now: float = 1000.0
    verifier: TokenVerifier = field(init=False)

    def __post_init__(self) -> None:
        self.verifier = self.new_verifier()

    def new_verifier(self, timeout: float = 2) -> TokenVerifier:
        return TokenVerifier(RemoteKeys(self.issuer.url, timeout=timeout, clock=lambda: self.now))

    def accepts(self, token: str) -> bool:
        try:
            self.verifier.verify(token)
        except InvalidTokenError:
            return False
        return True

    def refreshed(self, token: str, requests: int) -> None:
        """Wait until the issuer has been asked so many times in all, by requests with a token that is accepted."""
        wait_for(lambda: self.accepts(token) and self.issuer.requests == requests, f"{requests} requests were made")


@pytest.fixture
def scene() -> Iterator[Scene]:
    with issuer() as running:
        yield Scene(running)


def signed(claims: dict[str, Any], key: Any = OLD.private, algorithm: str = "EdDSA", **header: Any) -> str:
    return jwt.encode(claims, key, algorithm, headers={"typ": "at+jwt", "kid": OLD.kid, **header})


def claims_of(token: str, **change: object) -> dict[str, Any]:
    return {**jwt.decode(token, options={"verify_signature": False}), **change}


def test_many_tokens_need_one_request(scene: Scene) -> None:
    with ThreadPoolExecutor(8) as threads:
        assert all(threads.map(scene.accepts, [scene.issuer.token() for _ in range(200)]))
    assert scene.issuer.requests == 1


def test_a_new_key_is_accepted_as_soon_as_it_signs(scene: Scene) -> None:
    assert scene.accepts(scene.issuer.token())
    scene.now += COOLDOWN
    scene.issuer.rotate(NEW, OLD)
    assert scene.accepts(scene.issuer.token())
    assert scene.issuer.requests == 2


def test_a_key_that_is_withdrawn_is_refused_after_its_lifetime_also_for_tokens_seen_before(scene: Scene) -> None:
    token = scene.issuer.token()
    assert scene.accepts(token)
    scene.issuer.rotate(NEW)
    scene.now += LIFETIME - 1
    assert scene.accepts(token)
    scene.now += 1
    assert scene.accepts(token), "the request that starts the refresh does not wait for it"
    wait_for(lambda: not scene.accepts(token), "the key is refused")
    assert scene.issuer.requests == 2


def test_known_keys_serve_while_the_issuer_is_away(scene: Scene) -> None:
    token = scene.issuer.token()
    assert scene.accepts(token)
    scene.issuer.status = 503
    for asked in range(2, 5):
        scene.now += LIFETIME
        assert scene.accepts(scene.issuer.token())
        scene.refreshed(token, requests=asked)
    scene.issuer.status = 200
    scene.now += LIFETIME
    scene.refreshed(token, requests=5)


def test_no_request_with_a_known_key_waits_for_an_issuer_that_hangs(scene: Scene) -> None:
    assert scene.accepts(scene.issuer.token())
    scene.issuer.open.clear()
    scene.now += LIFETIME
    with ThreadPoolExecutor(8) as threads:
        waiting = [threads.submit(scene.accepts, scene.issuer.token()) for _ in range(100)]
        assert all(each.result(timeout=1) for each in waiting)
    scene.refreshed(scene.issuer.token(), requests=2)


@pytest.mark.parametrize("away", ["hangs", "error", "refuses connections"])
def test_without_keys_it_is_not_known_whether_a_token_is_valid(away: str) -> None:
    told = Issuer()
    with issuer(told):
        scene = Scene(told)
        token = told.token()
        scene.verifier = scene.new_verifier(timeout=0.2)
        if away == "hangs":
            told.open.clear()
        told.status = 500
        if away != "refuses connections":
            with pytest.raises(KeysUnavailableError):
                scene.verifier.verify(token)
    if away == "refuses connections":
        with pytest.raises(KeysUnavailableError):
            scene.verifier.verify(token)
    told.status = 200
    told.open.set()
    with issuer(told, told.port):
        scene.now += COOLDOWN
        assert scene.accepts(token)


JUNK = {
    "empty": "",
    "HTML": "<html>Welcome</html>",
    "a list": "[]",
    "null": "null",
    "no keys": '{"keys": []}',
    "keys of a wrong type": '{"keys": {"kid": 1}}',
    "a key of a wrong type": '{"keys": [7]}',
    "nested deeply": "[" * 100_000,
    "another curve": json.dumps({"keys": [{**OLD.jwk(), "crv": "Ed448"}]}),
    "a secret key": json.dumps({"keys": [{"kty": "oct", "k": "c2VjcmV0", "kid": OLD.kid, "alg": "HS256"}]}),
    "a private key": json.dumps({"keys": [{**OLD.jwk(), "d": "A" * 43}]}),
    "a key to encrypt": json.dumps({"keys": [{**OLD.jwk(), "use": "enc"}]}),
    "a key that is cut off": json.dumps({"keys": [{**OLD.jwk(), "x": "AAAA"}]}),
    "too large": json.dumps({"keys": [OLD.jwk()], "more": "x" * MOST_BYTES}),
    "too many keys": json.dumps({"keys": [OLD.jwk()] * (MOST_KEYS + 1)}),
    "cut off": json.dumps({"keys": [OLD.jwk()]})[:-3],
}


@pytest.mark.parametrize("junk", JUNK)
def test_junk_makes_no_key_and_keeps_those_that_are_known(scene: Scene, junk: str) -> None:
    token = scene.issuer.token()
    assert scene.accepts(token)
    scene.issuer.published = JUNK[junk]
    scene.now += LIFETIME
    scene.refreshed(token, requests=2)
    scene.now += COOLDOWN
    with pytest.raises(KeysUnavailableError):  # fetched in this thread, as a new key would be
        scene.verifier.verify(signed(claims_of(token), NEW.private, kid=NEW.kid))
    assert scene.accepts(token)
    scene.verifier = scene.new_verifier()
    assert not scene.accepts(token)


@pytest.mark.parametrize(("junk", "reason"), [("too large", "65536 bytes"), ("too many keys", "32 keys")])
def test_a_key_set_that_is_too_large_is_logged_with_its_limit(scene: Scene, junk: str, reason: str) -> None:
    scene.issuer.published = JUNK[junk]
    with capture_logs() as lines:
        assert not scene.accepts(scene.issuer.token())
    assert lines == [
        {"event": "keys of access tokens not fetched", "error": f"more than {reason}", "log_level": "warning"}
    ]


def test_as_many_keys_as_are_allowed_are_taken(scene: Scene) -> None:
    others = [SignatureKey(Ed25519PrivateKey.generate()).jwk() for _ in range(MOST_KEYS - 1)]
    scene.issuer.published = json.dumps({"keys": [*others, OLD.jwk()]})
    assert scene.accepts(scene.issuer.token())


def test_fetches_are_counted_by_outcome(scene: Scene) -> None:
    keys = RemoteKeys(scene.issuer.url, clock=lambda: scene.now)

    def counts() -> dict[str, float]:
        samples = (sample for family in keys.fetches.collect() for sample in family.samples)
        return {sample.labels["outcome"]: sample.value for sample in samples if sample.name.endswith("_count")}

    assert counts() == {"fetched": 0, "failed": 0}
    keys.get(OLD.kid)
    assert counts() == {"fetched": 1, "failed": 0}
    scene.issuer.status = 503
    scene.now += COOLDOWN
    with pytest.raises(KeysUnavailableError):
        keys.get("unknown")
    assert counts() == {"fetched": 1, "failed": 1}


def test_redirects_are_not_followed(scene: Scene) -> None:
    with issuer(Issuer(STRANGE)) as other:
        scene.issuer.status = 302
        scene.issuer.headers = {"Location": other.url}
        with pytest.raises(KeysUnavailableError):
            scene.verifier.verify(other.token())
        assert other.requests == 0


@pytest.mark.parametrize("status", [200, 500])
def test_unknown_keys_make_few_requests(scene: Scene, status: int) -> None:
    known = scene.issuer.token()
    assert scene.accepts(known)
    scene.issuer.status = status
    scene.now += COOLDOWN
    tokens = [signed(claims_of(known), STRANGE.private, kid=f"{number}") for number in range(1000)]
    with ThreadPoolExecutor(8) as threads:
        assert not any(threads.map(scene.accepts, tokens))
    assert scene.issuer.requests == 2
    scene.now += COOLDOWN
    assert not scene.accepts(tokens[0])
    assert scene.issuer.requests == 3
    assert scene.accepts(known)


def wrong_tokens(token: str) -> dict[str, str]:
    public = OLD.public.public_bytes(Encoding.Raw, PublicFormat.Raw)
    now = int(datetime.now(UTC).timestamp())
    rsa = generate_private_key(65537, 2048)
    return {
        "another key": signed(claims_of(token), STRANGE.private),
        "an unknown key": signed(claims_of(token), STRANGE.private, kid=STRANGE.kid),
        "no key id": signed(claims_of(token), kid=""),
        "a key in the token": signed(claims_of(token), STRANGE.private, jwk=STRANGE.jwk()),
        "expired": signed(claims_of(token, exp=now - 1)),
        "another audience": signed(claims_of(token, aud="elsewhere")),
        "another issuer": signed(claims_of(token, iss="elsewhere")),
        "another type": signed(claims_of(token), typ="JWT"),
        "no signature": signed(claims_of(token), "", "none"),
        "an HMAC with the public key": signed(claims_of(token), public, "HS256"),
        "RSA": signed(claims_of(token), rsa, "RS256"),
    }


def test_forged_expired_and_foreign_tokens_are_refused(scene: Scene) -> None:
    token = scene.issuer.token()
    assert scene.accepts(token)
    assert scene.accepts(signed(claims_of(token))), "what the others are made of is good"
    accepted = [name for name, wrong in wrong_tokens(token).items() if scene.accepts(wrong)]
    assert accepted == []


def test_a_token_signed_by_the_services_own_secret_is_refused(scene: Scene) -> None:
    own = AccessTokens(signature_key("a-service's-own-secret-0123456789-abcdefgh"), timedelta(minutes=5))
    assert not scene.accepts(own.issue(uuid4(), uuid4(), uuid4(), "admin", datetime.now(UTC)))
