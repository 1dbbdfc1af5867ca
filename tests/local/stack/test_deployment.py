"""`make up`: the updates of a stack."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from local.errors import LocalError
from local.stack import deployment, summary
from local.stack.place import Place


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


def a_stack(*ready: int) -> Place:
    """A stack whose server's Deployment has so many ready pods, a look each; its autoscaler keeps two at least."""
    left = list(ready)
    scaler = {
        "metadata": {"name": "task-manager-tasks", "labels": {"app.kubernetes.io/component": "api"}},
        "spec": {"minReplicas": 2},
    }

    class Looked(Place):
        def objects(self, kind: str, namespace: str = "") -> list[dict[str, Any]]:  # noqa: ARG002 - as in Place
            if kind == "hpa":
                return [scaler]
            pods = left.pop(0) if len(left) > 1 else left[0]
            return [{"metadata": {"name": "task-manager-tasks"}, "status": {"readyReplicas": pods} if pods else {}}]

    return Looked("n")


@pytest.mark.parametrize("ready", [(2,), (3,), (0, 1, 2)], ids=["its minimum", "more under load", "after some looks"])
def test_a_service_is_scaled_with_its_minimum_of_ready_pods_or_more(ready: tuple[int, ...]) -> None:
    deployment.wait_until_scaled(a_stack(*ready), seconds=10)


def test_a_service_with_too_few_ready_pods_is_named_with_both_numbers() -> None:
    with pytest.raises(LocalError, match="too few pods are ready: task-manager-tasks 1 of 2;"):
        deployment.wait_until_scaled(a_stack(1), seconds=0.1)


def test_the_summary_names_the_next_phase_and_none_after_the_last() -> None:
    assert [command for command, _ in summary.next_phase("phase3")] == ["make up PHASE=4"]
    assert not summary.next_phase("phase4")
