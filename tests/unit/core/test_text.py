"""Texts have one normal form and one form for comparison, and what shows nothing is blank."""

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.text import LINE, fold, nfc, nfd, normalise_email, opaque_string
from app.tasks.model import tag_form, tag_forms
from app.tasks.query import search_text, title_key

TEXTS = st.text(st.characters(codec="utf-8"))
SPELLINGS = st.sampled_from([nfc, nfd, str.upper, str.lower, str.title, str.swapcase])
DOTLESS = "\u0131"
"""Upper-casing makes an I of it: no caseless comparison takes the two for one."""


@pytest.mark.parametrize("form", [nfc, nfd, fold, opaque_string, tag_form, normalise_email])
@given(TEXTS)
def test_a_normal_form_is_its_own_normal_form(form: "type[str]", text: str) -> None:
    once = form(text)
    assert form(once) == once


def test_every_character_is_compared_by_one_form_whatever_its_spelling_or_case() -> None:
    for code in range(0x110000):
        each = chr(code)
        if unicodedata.category(each) in ("Lo", "Cn", "Co", "Cs") and not unicodedata.decomposition(each):
            continue
        spellings = {nfc(each), nfd(each), each.upper(), each.lower()} - {each}
        assert each == DOTLESS or {fold(spelling) for spelling in spellings} <= {fold(each)}


@given(TEXTS.filter(lambda text: DOTLESS not in text), SPELLINGS)
def test_texts_that_differ_in_spelling_or_case_compare_equal(text: str, spell: "type[str]") -> None:
    assert fold(spell(text)) == fold(text)
    assert tag_form(spell(text)) == tag_form(text)
    assert title_key(spell(text)) == title_key(text)


@given(TEXTS.filter(lambda text: DOTLESS not in text), TEXTS, SPELLINGS)
def test_a_text_is_found_by_any_spelling_of_the_whole_of_it(text: str, description: str, spell: "type[str]") -> None:
    assert fold(spell(text)) in search_text(text, "")
    assert fold(spell(text)) in search_text("", text) or fold(text) == "\n"
    assert search_text(nfd(text), nfd(description)) == search_text(nfc(text), nfc(description))


@given(st.lists(TEXTS), SPELLINGS)
def test_a_tag_can_be_removed_by_any_spelling_of_it(texts: list[str], spell: "type[str]") -> None:
    texts = [text for text in texts if DOTLESS not in text]
    assert set(tag_forms(texts)) - set(tag_forms(spell(text) for text in texts)) == set()


@pytest.mark.parametrize(
    "text",
    [
        "",
        " \t",
        "\u200b",
        "\u2060\ufeff",
        "\u00ad",
        "\u3164",
        "\u115f\u1160\uffa0",
        "\u2800",
        "\ufe0f",
        "\U000e0100",
        "\u034f",
        "\u180e",
        "\u061c\u200e\u200f\u202e",
        "\u00a0\u2003\u3000",
        "\u2028\u2029\x85",
        "\U0001d173",
        "\U000e0041",
        "\ufffb",
    ],
)
def test_what_shows_nothing_is_blank(text: str) -> None:
    assert re.fullmatch(LINE, text) is None
    assert re.fullmatch(LINE, f"{text}\n") is None


def test_every_space_and_every_format_character_that_shows_nothing_is_blank() -> None:
    shown = {*range(0x600, 0x606), 0x6DD, 0x70F, 0x890, 0x891, 0x8E2, 0x110BD, 0x110CD, *range(0x13430, 0x13440)}
    for code in range(0x110000):
        character = chr(code)
        if character.isspace() or (unicodedata.category(character) in ("Cf", "Cc") and code not in shown):
            assert re.fullmatch(LINE, character) is None, hex(code)


@pytest.mark.parametrize(
    "text",
    [
        "x",
        "  x  ",
        "\N{MAN}\u200d\N{WOMAN}\u200d\N{GIRL}",
        "\N{HEAVY BLACK HEART}\ufe0f",
        "\u0645\u06cc\u200c\u062e",
        "\u200bx",
        "\N{WAVING BLACK FLAG}\U000e0067\U000e0062\U000e007f",
        "\u0300",
    ],
)
def test_what_shows_something_is_not_blank(text: str) -> None:
    assert re.fullmatch(LINE, text)


@pytest.mark.parametrize("text", ["a\nb", "a\r", "\tb", "x\x00", "x\x7f"])
def test_a_line_holds_no_control_characters(text: str) -> None:
    assert re.fullmatch(LINE, text) is None


def test_passwords_are_prepared_as_the_standard_has_it() -> None:
    """The examples of RFC 8265, section 4.3."""
    assert opaque_string("correct horse battery staple") == "correct horse battery staple"
    assert opaque_string("Correct Horse Battery Staple") == "Correct Horse Battery Staple"
    assert opaque_string("πßå") == "πßå"
    assert opaque_string("Jack of \u2666s") == "Jack of \u2666s"
    assert opaque_string("foo\u1680bar") == "foo bar"
    assert opaque_string("e\u0301") == "\u00e9"
