"""Sanitised names and detected types of uploaded files."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.objects.content import SEEN, content_type
from app.core.objects.names import LONGEST, safe_name

NAMES = st.text(max_size=300) | st.text(alphabet='./\\ :aé"con\u202e\u0301\n', max_size=300)


@given(NAMES)
def test_a_sanitised_name_is_safe_and_sanitising_is_idempotent(name: str) -> None:
    safe = safe_name(name)
    assert 1 <= len(safe.encode()) <= LONGEST
    assert not set(safe) & set('/\\<>:"|?*')
    assert not safe.startswith((".", " "))
    assert not safe.endswith((".", " "))
    assert all(unicodedata.category(letter)[0] != "C" for letter in safe)
    assert safe_name(safe) == safe


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("notes.txt", "notes.txt"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Windows\\system.ini", "system.ini"),
        (".htaccess", "htaccess"),
        ("..", "file"),
        ("", "file"),
        ("con.txt", "_con.txt"),
        ("LPT1", "_LPT1"),
        ("contract.txt", "contract.txt"),
        ("photo\u202egpj.exe", "photogpj.exe"),
        ('a"b;c.txt', "a_b;c.txt"),
        ("e\u0301.txt", "é.txt"),
        ("é" * 150 + ".txt", "é" * 98 + ".txt"),
        ("x" * 300, "x" * 200),
    ],
)
def test_names_are_sanitised(name: str, safe: str) -> None:
    assert safe_name(name) == safe


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"\x89PNG\r\n\x1a\n", "image/png"),
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 ", "image/webp"),
        (b"RIFF\x00\x00\x00\x00WAVE", "application/octet-stream"),
        (b"%PDF-1.7", "application/pdf"),
        (b"<html><script>", "text/plain"),
        (b"a\x00b", "application/octet-stream"),
        (b"\xff\xfe", "application/octet-stream"),
        (("x" + "é" * SEEN).encode()[:SEEN], "text/plain"),
    ],
)
def test_the_type_is_detected_from_the_content(content: bytes, kind: str) -> None:
    assert content_type(content) == kind


@given(st.binary(max_size=64))
def test_html_and_svg_are_plain_text(content: bytes) -> None:
    assert not content_type(content).startswith(("text/html", "image/svg", "application/xhtml", "text/xml"))
