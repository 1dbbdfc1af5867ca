"""`restart-changed`: which Deployments it rolls out anew, and what it reads of Secrets."""

from __future__ import annotations

from typing import Any

import pytest

from app.cli.cluster import Cluster, ClusterError
from app.cli.restart_changed import RESTARTED, SEEN, restart_changed

PAIRS = [("api", "keys"), ("api", "cache"), ("worker", "cache")]


class ApiServer(Cluster):
    """Secrets by their versions, and Deployments, in memory."""

    def __init__(self, *deployments: str, **secrets: str) -> None:
        self.namespace = "shop"
        self.secrets = secrets
        self.deployments: dict[str, dict[str, Any]] = {name: {"metadata": {}} for name in deployments}
        self.patches: list[str] = []
        self.broken = False

    def call(
        self, method: str, path: str, body: dict[str, Any] | None = None, *, metadata_alone: bool = False
    ) -> tuple[int, dict[str, Any]]:
        if self.broken:
            raise ClusterError("the API server can't be reached: refused")
        kind, name = path.split("/")[-2:]
        if kind == "secrets":
            assert metadata_alone, "no value of a Secret is asked for"
            found = self.secrets.get(name)
            return (200, {"metadata": {"resourceVersion": found}}) if found else (404, {})
        if name not in self.deployments:
            return 404, {}
        if method == "PATCH":
            assert body
            self.patches.append(name)
            self.deployments[name]["metadata"].setdefault("annotations", {}).update(body["metadata"]["annotations"])
            self.deployments[name].update({key: value for key, value in body.items() if key != "metadata"})
        return 200, self.deployments[name]

    def restarts(self, name: str) -> str | None:
        template = self.deployments[name].get("spec", {}).get("template", {})
        found: str | None = template.get("metadata", {}).get("annotations", {}).get(RESTARTED)
        return found


def test_the_first_look_remembers_and_restarts_nothing() -> None:
    api = ApiServer("api", "worker", keys="1", cache="2")
    assert restart_changed(PAIRS, "shop", api) == 0
    assert api.deployments["api"]["metadata"]["annotations"][SEEN] == "cache=2,keys=1"
    assert not api.restarts("api")
    assert not api.restarts("worker")


def test_nothing_is_written_while_nothing_changes() -> None:
    api = ApiServer("api", "worker", keys="1", cache="2")
    for _ in range(3):
        restart_changed(PAIRS, "shop", api)
    assert api.patches == ["api", "worker"]


def test_only_deployments_of_a_changed_secret_are_restarted_once() -> None:
    api = ApiServer("api", "worker", keys="1", cache="2")
    restart_changed(PAIRS, "shop", api)
    api.secrets["keys"] = "3"
    restart_changed(PAIRS, "shop", api)
    assert api.restarts("api")
    assert not api.restarts("worker")
    patches = list(api.patches)
    restart_changed(PAIRS, "shop", api)
    assert api.patches == patches


@pytest.mark.parametrize(("before", "after"), [({"keys": "1"}, {"keys": "1", "cache": "2"}), ({"cache": "2"}, {})])
def test_a_secret_that_comes_or_goes_is_a_change(before: dict[str, str], after: dict[str, str]) -> None:
    api = ApiServer("api", **before)
    restart_changed([("api", "keys"), ("api", "cache")], "shop", api)
    api.secrets = after
    restart_changed([("api", "keys"), ("api", "cache")], "shop", api)
    assert api.restarts("api")


def test_a_deployment_that_is_not_there_keeps_no_other_from_its_restart(capsys: pytest.CaptureFixture[str]) -> None:
    api = ApiServer("worker", keys="1", cache="2")
    restart_changed(PAIRS, "shop", api)
    api.secrets["cache"] = "3"
    assert restart_changed(PAIRS, "shop", api) == 0
    assert api.restarts("worker")
    assert "api: not there yet\n" in capsys.readouterr().out


def test_an_api_server_that_does_not_answer_is_one_line_and_a_failure(capsys: pytest.CaptureFixture[str]) -> None:
    api = ApiServer("api", keys="1")
    api.broken = True
    assert restart_changed([("api", "keys")], "shop", api) == 1
    assert "the API server can't be reached: refused" in capsys.readouterr().err
