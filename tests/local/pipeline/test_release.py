"""A release: which image a stack runs after it, and what is said."""

from __future__ import annotations

from typing import Any

import pytest

from infra.config.image import IMAGE_VARIABLE
from local.errors import LocalError
from local.pipeline.release import release
from local.progress import Progress
from local.stack import pulumi, smoke

FORMER, NEXT = "registry.example.com/tasks@sha256:1", "registry.example.com/tasks@sha256:2"


@pytest.fixture
def updates(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The images that a stack was updated to; it has run FORMER."""
    done: list[str] = []

    def run(*_words: str, variables: dict[str, str], **_options: Any) -> str:
        done.append(variables[IMAGE_VARIABLE])
        return ""

    monkeypatch.setattr(pulumi, "run", run)
    monkeypatch.setattr(pulumi, "outputs", lambda _stack: {"image": done[-1] if done else FORMER})
    return done


def failing_smoke(monkeypatch: pytest.MonkeyPatch, *images: str, updates: list[str]) -> None:
    """Have the smoke test fail while one of these images runs."""

    def test(_stack: str, _progress: Progress) -> None:
        if updates[-1] in images:
            raise LocalError("GET / is 500, not 200")

    monkeypatch.setattr(smoke, "test", test)


def test_an_image_that_works_stays(monkeypatch: pytest.MonkeyPatch, updates: list[str]) -> None:
    failing_smoke(monkeypatch, updates=updates)
    release("prod", NEXT, Progress())
    assert updates == [NEXT]


def test_an_image_that_fails_its_smoke_test_goes_back_to_the_former_one(
    monkeypatch: pytest.MonkeyPatch, updates: list[str]
) -> None:
    failing_smoke(monkeypatch, NEXT, updates=updates)
    with pytest.raises(LocalError, match=f"^GET / is 500, not 200; prod runs {FORMER} again$"):
        release("prod", NEXT, Progress())
    assert updates == [NEXT, FORMER]


def test_a_former_image_that_fails_too_is_not_said_to_run(monkeypatch: pytest.MonkeyPatch, updates: list[str]) -> None:
    failing_smoke(monkeypatch, NEXT, FORMER, updates=updates)
    with pytest.raises(LocalError, match=r"^GET / is 500, not 200$"):
        release("prod", NEXT, Progress())
    assert updates == [NEXT, FORMER]


def test_a_first_release_has_no_image_to_go_back_to(monkeypatch: pytest.MonkeyPatch, updates: list[str]) -> None:
    def none_yet(_stack: str) -> dict[str, Any]:
        raise LocalError("stack prod is not up")

    monkeypatch.setattr(pulumi, "outputs", none_yet)
    failing_smoke(monkeypatch, NEXT, updates=updates)
    with pytest.raises(LocalError, match=r"prod has run no other image to go back to$"):
        release("prod", NEXT, Progress())
    assert updates == [NEXT]
