"""A request that comes in pieces, beside gunicorn's own parser."""

from collections.abc import Iterator

import pytest
from gunicorn.config import Config  # type: ignore[import-untyped]
from gunicorn.http.message import Request  # type: ignore[import-untyped]
from gunicorn.http.unreader import IterUnreader  # type: ignore[import-untyped]
from hypothesis import given
from hypothesis import strategies as st

from app.server.partial_request import BODY_LIMIT, HEADER_LIMIT, PartialRequest

LINES = st.lists(
    st.one_of(
        st.sampled_from(["X-Host: x", "Accept: */*", "X-Content-Length: 7", "X: Content-Length: 9"]),
        st.text("abc:- ", min_size=1, max_size=30).map(lambda value: f"X-A: {value}"),
    ),
    max_size=5,
)


def header(*lines: str) -> bytes:
    return "\r\n".join(["POST /api/v1/tasks HTTP/1.1", *lines, "", ""]).encode()


def body_read_by_gunicorn(data: bytes) -> bytes:
    """Return the body of a request, which has to be there whole."""

    def source() -> Iterator[bytes]:
        yield data
        raise AssertionError("gunicorn would wait for more")

    body: bytes = Request(Config(), IterUnreader(source()), ("127.0.0.1", 1)).body.read()
    return body


@given(LINES, LINES, st.binary(max_size=200), st.data())
def test_it_is_whole_when_the_parser_has_to_wait_for_nothing_and_not_before(
    before: list[str], after: list[str], body: bytes, data: st.DataObject
) -> None:
    whole = header(*before, f"content-LENGTH: \t{len(body)} ", *after) + body
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=6)))
    pieces = [whole[start:end] for start, end in zip([0, *cuts], [*cuts, len(whole)], strict=True)]
    partial = PartialRequest()
    for piece in pieces[:-1]:
        complete = partial.add(piece)
        assert complete == (len(partial.data) == len(whole))
        if complete:
            break
    else:
        assert partial.add(pieces[-1])
    assert body_read_by_gunicorn(bytes(partial.data)) == body


@pytest.mark.parametrize(
    "lines",
    [
        (f"Content-Length: {BODY_LIMIT + 1}",),
        ("Transfer-Encoding: chunked",),
        ("Content-Length: 10", "Transfer-Encoding: chunked"),
        ("Content-Length: 10", "expect: 100-continue"),
        ("Content-Length: ten",),
    ],
)
def test_a_body_that_a_thread_reads_is_not_waited_for(lines: tuple[str, ...]) -> None:
    partial = PartialRequest()
    assert partial.add(header(*lines))
    assert partial.header_complete


@pytest.mark.parametrize("wrong", [b"GET / HTTP/1.1\nHost: x\n", b"GET /" + b"a" * 9_000])
def test_what_can_become_no_request_is_not_waited_for(wrong: bytes) -> None:
    assert PartialRequest().add(wrong)


def test_a_header_has_a_limit() -> None:
    partial = PartialRequest()
    assert not partial.add(header(*["X-A: a"] * 9_000).removesuffix(b"\r\n")[:HEADER_LIMIT])
    assert not partial.too_long
    assert not partial.add(b"x")
    assert partial.too_long
