"""Rendered manifests, and the reasons of pods that are not ready."""

from __future__ import annotations

import pytest

from local.cluster import kubectl


def test_a_missing_value_of_a_manifest_is_an_error() -> None:
    with pytest.raises(KeyError):
        kubectl.render("dns", replicas=1)


def test_pods_that_are_not_ready_say_why() -> None:
    waiting = {"state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 10s"}}}
    crashed = {
        "metadata": {"name": "api-1"},
        "status": {"containerStatuses": [{**waiting, "lastState": {"terminated": {"exitCode": 3}}}]},
    }
    unplaced = {"metadata": {"name": "api-2"}, "status": {"conditions": [{"message": "0/1 nodes are available"}]}}
    assert kubectl.explain([crashed, unplaced]) == (
        "api-1: CrashLoopBackOff back-off 10s, ended with status 3; api-2: 0/1 nodes are available"
    )
