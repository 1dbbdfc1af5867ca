"""`make up`: the updates of a stack."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from local.stack import deployment, summary


@pytest.mark.parametrize(
    ("recorded", "updates"),
    [([None], 1), (["move", "route", "retire"], 3), (["route", "retire"], 2), (["retire"], 1), (["done"], 1)],
)
def test_a_growth_into_services_goes_on_until_the_former_release_is_gone(
    recorded: list[str | None], updates: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []

    def outputs(_stack: str) -> dict[str, Any]:
        growth = recorded[len(done) - 1]
        return {} if growth is None else {"growth": growth}

    monkeypatch.setattr(
        deployment,
        "pulumi",
        SimpleNamespace(
            release_stale_lock=lambda _stack: None,
            run=lambda *words, **_options: done.append(words[0]),
            outputs=outputs,
        ),
    )
    monkeypatch.setattr(deployment, "place_of", lambda *_: SimpleNamespace(objects=lambda _kind: []))
    monkeypatch.setattr(
        deployment,
        "address",
        SimpleNamespace(candidates=lambda *_: [], first_answering=lambda _candidates: "http://127.0.0.1"),
    )
    assert deployment.up("phase4") == "http://127.0.0.1"
    assert done == ["up"] * updates


def test_the_summary_names_the_next_phase_and_none_after_the_last() -> None:
    assert [command for command, _ in summary.next_phase("phase3")] == ["make up PHASE=4"]
    assert not summary.next_phase("phase4")
