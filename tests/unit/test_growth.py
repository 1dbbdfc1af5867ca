"""What checks a text takes time in proportion to its length, whatever the text."""

import importlib
import re
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

import app
from app.core.http.schemas import RequestModel
from app.core.objects.names import safe_name
from app.core.observability.logging import redact

SMALL, LARGE = 500, 5_000
"""Characters of the texts."""

MOST_GROWTH = 12
"""For ten times the text."""

NOTHING = 0.000_2
"""Seconds that are too few to make a ratio of."""

REPEATED = [
    *("a", "A-", " ", "\t", "\u2003", "\u200b", "@", "a@", ".", "a.", "-", "1", "/", "://", "://:", "a:"),
    *("\u00e9", '"', "<", "%", "\\"),
]
ENDS = ["", "\x01", "\n", "@", "!"]


def texts(length: int) -> Iterator[str]:
    """Yield texts that make a search go back and forth: many of a kind, and then what does not fit."""
    for repeated in REPEATED:
        for end in ENDS:
            yield repeated * (length // len(repeated)) + end


def seconds(call: Callable[[str], object], text: str) -> float:
    """Return the processor time that a call takes: what other processes do meanwhile plays no part."""
    begun = time.thread_time()
    with suppress(ValidationError, ValueError):
        call(text)
    return time.thread_time() - begun


def assert_linear(call: Callable[[str], object]) -> None:
    for small, large in zip(texts(SMALL), texts(LARGE), strict=True):
        linear = (
            seconds(call, large) <= MOST_GROWTH * max(seconds(call, small), NOTHING)
            for _ in range(3)  # caches and the collector of garbage may disturb one
        )
        assert any(linear), f"superlinear at {small[:8]!r}… and {small[-1:]!r}"


def apply(pattern: re.Pattern[Any], method: str, text: str) -> None:
    """Use a pattern of texts or of bytes as the application does, to the end."""
    given = text.encode() if isinstance(pattern.pattern, bytes) else text
    found = getattr(pattern, method)(*([given[:0], given] if method == "sub" else [given]))
    if method == "finditer":
        deque(found, maxlen=0)


def patterns() -> dict[str, Callable[[str], object]]:
    """Return each use of a pattern that a module of the application has compiled."""
    found: dict[str, Callable[[str], object]] = {}
    root = Path(app.__file__).parent
    for file in sorted(root.rglob("*.py")):
        source = file.read_text()
        for name in re.findall(r"^(\w+) = re\.compile\(", source, re.MULTILINE):
            module = importlib.import_module(".".join(("app", *file.relative_to(root).with_suffix("").parts)))
            pattern: re.Pattern[Any] = getattr(module, name)
            used = {"fullmatch", *re.findall(rf"\b{name}\.(\w+)\(", source)}
            for method in sorted(used & set(dir(pattern))):
                found[f"{module.__name__}.{name}.{method}"] = partial(apply, pattern, method)
    return found


def request_models(base: type[BaseModel] = RequestModel) -> Iterator[type[BaseModel]]:
    """Yield the models of all bodies and parameters."""
    import app.bootstrap.http  # noqa: F401 it knows all blueprints

    for model in base.__subclasses__():
        yield model
        yield from request_models(model)


PATTERNS = patterns()
FIELDS = {
    f"{model.__name__}.{name}": (model, field.alias or name)
    for model in request_models()
    for name, field in model.model_fields.items()
}


@pytest.mark.parametrize("use", PATTERNS.values(), ids=PATTERNS)
def test_every_pattern_is_linear(use: Callable[[str], object]) -> None:
    assert_linear(use)


@pytest.mark.parametrize(("model", "name"), FIELDS.values(), ids=FIELDS)
def test_every_field_of_a_request_is_checked_in_linear_time(model: type[BaseModel], name: str) -> None:
    assert_linear(lambda text: model.model_validate({name: text}))
    assert_linear(lambda text: model.model_validate({name: [text]}))


def test_a_log_line_is_redacted_in_linear_time() -> None:
    assert_linear(lambda text: redact(None, "info", {"path": text}))


def test_the_name_of_a_file_is_made_safe_in_linear_time() -> None:
    assert_linear(safe_name)


def test_a_quadratic_pattern_would_be_found() -> None:
    quadratic = re.compile(r"[^\x00-\x1f]*[^\s\x00-\x1f][^\x00-\x1f]*")
    with pytest.raises(AssertionError, match="superlinear"):
        assert_linear(quadratic.fullmatch)


def test_there_is_something_to_measure() -> None:
    assert {"NewTask.title", "Registration.email", "PasswordChange.new_password"} <= FIELDS.keys()
    assert "app.core.observability.logging.SECRET.search" in PATTERNS
