"""Signatures: by the first key, of any key, and the same as ever."""

from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.http.signed_urls import SignedUrls
from app.core.security import base64url
from app.core.security.keys import derive
from app.core.security.signed_ids import SignedIds
from app.core.security.signing import Signer
from app.tasks.cursors import Cursors
from app.tasks.query import Position, Query

OLD, NEW, OTHER = (derive(name, "anything") for name in ("old", "new", "other"))
FILE = UUID(int=7)


def test_what_was_signed_with_a_former_key_is_accepted_and_nothing_more_is_signed_with_it() -> None:
    replaced = Signer(NEW, OLD)
    assert replaced.verify(b"message", Signer(OLD).sign(b"message"))
    assert replaced.sign(b"message") == Signer(NEW).sign(b"message")


@pytest.mark.parametrize("signer", [Signer(OTHER), Signer(OTHER, NEW)])
def test_what_was_signed_with_another_key_or_is_of_another_message_is_not(signer: Signer) -> None:
    assert not signer.verify(b"message", Signer(OLD).sign(b"message"))
    assert not signer.verify(b"message", signer.sign(b"another"))
    assert not signer.verify(b"message", b"")


def test_a_part_of_a_signature_is_none() -> None:
    whole = Signer(NEW).sign(b"message")
    assert not Signer(NEW).verify(b"message", whole[:16])
    assert Signer(NEW, size=16).sign(b"message") == whole[:16]


@given(st.text(max_size=50))
def test_made_up_texts_are_no_signatures(text: str) -> None:
    assert not Signer(NEW).verify_text(b"message", text)


def test_a_signature_has_one_text_alone() -> None:
    text = Signer(NEW).sign_as_text(b"message")
    assert Signer(NEW).verify_text(b"message", text)
    twin = text[:-1] + chr(ord(text[-1]) + 1)  # its last two bits are none of the 256
    for other in (f"{text}=", f"{text} ", twin):
        assert not Signer(NEW).verify_text(b"message", other)


@given(st.binary(max_size=40))
def test_text_and_bytes_are_each_others(data: bytes) -> None:
    assert base64url.decode(base64url.encode(data)) == data


def test_links_cursors_and_addresses_that_are_out_there_stay_good() -> None:
    reset = "00000000000000000000000000000007.1uyFmB0_BeowKX44cQkIZouHBMzN_zQKgeQDHWXX1W8"
    assert SignedIds(derive("a secret", "x")).verify(reset) == FILE
    cursor = (
        "KLX5auZlKm5W2rnmv7ZXPVsiMjAzMC0wMS0wMlQwMDowMDowMCswMDowMCIsIjAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDA3Il0"
    )
    position = Position(datetime(2030, 1, 2, tzinfo=UTC), FILE)
    assert Cursors(derive("a secret", "cursor")).decode(UUID(int=1), Query(), cursor) == position
    addresses = SignedUrls(lambda: datetime(2030, 1, 1, tzinfo=UTC), None, derive("a secret", "files"))
    signature = "HtKpkmPYdPPARj-zRfOjZp7XF-cJ2xQmM6X3hSBYdxg"
    assert addresses.verify(FILE, 1893463200, signature)
    assert addresses.url_for(FILE).endswith(f"expires=1893463200&signature={signature}")
