"""The chart of a service whose tables leave the database of all services."""

from __future__ import annotations

import pytest

from infra import names
from tests.contract.chart import Manifest, RenderError, manifests, objects, one, pod_specs, render, values_of

MOVING, MOVED = "phase4-moving-tasks", "phase4-tasks"


def job() -> Manifest:
    return one(objects(MOVING), "Job", "move")


def container() -> Manifest:
    found: list[Manifest] = job()["spec"]["template"]["spec"]["containers"]
    return found[0]


def environment(of: Manifest) -> dict[str, object]:
    return {each["name"]: each.get("value", each.get("valueFrom")) for each in of["env"]}


def test_the_job_switches_its_service_to_servers_that_are_not_ready_yet() -> None:
    service = one(objects(MOVING), "Service", "heirs")
    address = f"http://{service['metadata']['name']}:{service['spec']['ports'][0]['port']}"
    assert container()["args"][:6] == ["split-database", "switch", "--service", "tasks", "--to", address]
    server = one(objects(MOVING), "Deployment", "api")["spec"]["template"]["metadata"]["labels"]
    assert service["spec"]["selector"].items() <= server.items()
    assert service["spec"]["publishNotReadyAddresses"]
    assert not service["spec"]["selector"].items() <= job()["spec"]["template"]["metadata"]["labels"].items()


def test_the_job_has_the_settings_of_the_servers_and_asks_both_primaries() -> None:
    server = environment(one(objects(MOVING), "Deployment", "api")["spec"]["template"]["spec"]["containers"][0])
    own = environment(container())
    differing = {name for name, value in own.items() if server.get(name) != value}
    assert differing == {
        "APP_DATABASE_HOST",
        *(f"APP_FORMER_DATABASE_{name}" for name in ("HOST", "NAME", "USER", "PASSWORD")),
    }
    assert own["APP_DATABASE_HOST"] == own["APP_FORMER_DATABASE_HOST"] == f"{names.DATABASE_CLUSTER}-rw"
    assert (own["APP_FORMER_DATABASE_NAME"], own["APP_DATABASE_NAME"]) == ("tasks", "tasks_service")


def test_each_variable_of_the_job_is_there_once() -> None:
    found = [each["name"] for each in container()["env"]]
    assert len(found) == len(set(found))


def test_no_pod_uses_the_database_before_the_tables_have_moved() -> None:
    for kind, labels, spec in pod_specs(objects(MOVING)):
        if kind == "Deployment":
            assert environment(spec["containers"][0])["APP_DATABASE_INHERITS"] == "true", labels


def test_the_rollout_deadline_covers_the_move() -> None:
    usual, moving = (
        one(objects(stack), "Deployment", "api")["spec"]["progressDeadlineSeconds"] for stack in (MOVED, MOVING)
    )
    assert moving == usual + job()["spec"]["activeDeadlineSeconds"]


def test_the_job_may_reach_servers_and_databases_as_a_pod_of_the_release() -> None:
    policy = one(objects(MOVING), "NetworkPolicy", "api")["spec"]
    assert policy["podSelector"]["matchLabels"].items() <= job()["spec"]["template"]["metadata"]["labels"].items()


def test_former_servers_forward_to_the_same_service_after_the_switch() -> None:
    values = values_of(MOVING)
    later = manifests(render({**values, "move": {**values["move"], "switch": False}}))
    kinds = [(each["kind"], each["metadata"]["name"]) for each in later]
    assert ("Service", "task-manager-tasks-heirs") in kinds
    assert ("Job", "task-manager-tasks-move-1") not in kinds


def test_a_service_that_has_moved_has_neither_job_nor_waiting_servers() -> None:
    assert not [each for each in objects(MOVED) if each["metadata"]["name"].endswith(("-heirs", "-move-1"))]
    assert "APP_DATABASE_INHERITS" not in environment(
        one(objects(MOVED), "Deployment", "api")["spec"]["template"]["spec"]["containers"][0]
    )


@pytest.mark.parametrize("wrong", [{"apiService": "all"}, {"carry": {"claimName": "task-manager-data"}}])
def test_only_one_service_moves_and_out_of_postgresql(wrong: dict[str, object]) -> None:
    with pytest.raises(RenderError, match=r"move: .* set apiService to that service"):
        render({**values_of(MOVING), **wrong})
