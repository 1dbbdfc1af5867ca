"""Logs: one JSON object a line, without secrets."""

import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from app.core.observability import logging as logs
from tests.support.ports import wait_for


@pytest.fixture
def stream(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.TextIOWrapper]:
    """Standard error with JSON logs; restores the logging configuration afterwards."""
    stream = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True)
    monkeypatch.setattr("sys.stderr", stream)
    root = logging.getLogger()
    monkeypatch.setattr(root, "handlers", [])
    monkeypatch.setattr(root, "level", root.level)
    configured = structlog.get_config()
    logs.configure("json", "info")
    yield stream
    structlog.configure(**configured)


def text(stream: io.TextIOWrapper) -> str:
    stream.seek(0)
    return stream.read()


def lines(stream: io.TextIOWrapper) -> list[dict[str, object]]:
    return [json.loads(line) for line in text(stream).splitlines()]


def test_our_lines_and_those_of_libraries_have_one_form(stream: io.TextIOWrapper) -> None:
    with structlog.contextvars.bound_contextvars(request_id="r-1"):
        structlog.get_logger("ours").info("hello", answer=42)
        logging.getLogger("theirs").warning("careful: %s", "hot")
    ours, theirs = lines(stream)
    assert (ours["event"], ours["answer"], ours["level"], ours["logger"]) == ("hello", 42, "info", "ours")
    assert (theirs["event"], theirs["level"], theirs["logger"]) == ("careful: hot", "warning", "theirs")
    assert ours["request_id"] == theirs["request_id"] == "r-1"
    assert str(ours["timestamp"]).endswith("Z")


def test_values_under_secret_names_and_passwords_in_urls_are_hidden(stream: io.TextIOWrapper) -> None:
    structlog.get_logger("ours").info(
        "hello",
        password="hunter2",
        refresh_token="hunter2",
        Authorization="hunter2",
        url="redis://me:hunter2@redis:6379/0",
    )
    assert "hunter2" not in text(stream)
    assert "me:[redacted]@redis:6379" in text(stream)


nested = st.recursive(
    st.just("hunter2"),
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=2),
        st.tuples(inner),
        st.dictionaries(st.sampled_from(["name", "items", "0"]), inner, min_size=1, max_size=2),
    ),
    max_leaves=6,
)


@given(nested, nested)
def test_secrets_are_redacted_at_any_depth_and_nothing_else_is(secret: object, shown: object) -> None:
    """V16.2.5: sensitive data is masked."""
    body = {"answers": [{"new_password": secret, "plain": shown}]}
    event = logs.redact(None, "info", {"body": body})
    [answer] = event["body"]["answers"]
    assert answer == {"new_password": logs.REDACTED, "plain": shown}
    assert body["answers"][0]["new_password"] == secret, "what is logged stays as it was"


def test_passwords_in_urls_are_hidden_in_lists_too() -> None:
    event = logs.redact(None, "info", {"urls": ("redis://me:hunter2@redis:6379/0", "none")})
    assert event["urls"] == (f"redis://me:{logs.REDACTED}@redis:6379/0", "none")


def test_a_fault_is_one_line_with_its_traceback(stream: io.TextIOWrapper) -> None:
    try:
        _ = 1 // 0
    except ZeroDivisionError:
        structlog.get_logger("ours").exception("unhandled error")
    [line] = lines(stream)
    assert "ZeroDivisionError" in str(line["exception"])


def test_a_traceback_on_the_console_shows_no_values() -> None:
    def log_in(_password: str) -> None:
        raise RuntimeError("no such luck")

    [render] = logs.renderers("console")
    try:
        log_in("".join(("correct", " horse")))
    except RuntimeError as error:
        line = render(None, "error", {"event": "unhandled error", "exc_info": error})
    assert isinstance(line, bytes)
    assert b"no such luck" in line
    assert b"correct horse" not in line


def test_levels_below_the_chosen_one_are_left_out(stream: io.TextIOWrapper) -> None:
    structlog.get_logger("ours").debug("whisper")
    assert lines(stream) == []


@pytest.mark.parametrize("value", ["\ud800", 1 << 70, object()])
def test_values_that_json_can_not_represent_are_logged_too(stream: io.TextIOWrapper, value: object) -> None:
    structlog.get_logger("ours").info("hello", odd=value)
    [line] = lines(stream)
    assert line["odd"]


def test_json_access_log_lines_are_buffered_and_all_others_written_immediately(
    stream: io.TextIOWrapper,
) -> None:
    structlog.get_logger(logs.REQUESTS).info("request")
    structlog.get_logger("ours").info("hello")
    assert [line["event"] for line in lines(stream)] == ["hello"]
    wait_for(lambda: len(lines(stream)) >= 2, "the line of the request is written", 10)
    assert [line["event"] for line in lines(stream)] == ["hello", "request"]
