"""Growth from phase 3 to phase 4: what each of its updates registers, and in which order."""

from __future__ import annotations

import functools
import itertools
from typing import Any

import pulumi
import pytest

from infra import names
from infra.components.data.database import parameters
from infra.config.phase_spec import Size
from infra.names import ALL, ServiceNames
from infra.phases import PHASES, phase
from tests.infra import engine
from tests.infra.engine import Resource, Stack
from tests.infra.variants import VARIANTS, grown

SERVICES = ("auth", "tasks", "notifications", "analytics")
FORMER = ServiceNames()
SIZES = ["phase4-move", "phase4-move-standard"]


@functools.cache
def stack_of(name: str) -> Stack:
    variant = VARIANTS[name]
    return engine.run(variant.config, variant.stack, deployed=variant.deployed)


def release(stack: Stack, service: str) -> Resource:
    return stack.find("Release", ServiceNames(service).release)


def values(stack: Stack, service: str) -> dict[str, Any]:
    found: dict[str, Any] = release(stack, service).inputs["values"]
    return found


def before(stack: Stack, resource: Resource) -> set[str]:
    """Return the URNs of all that has to be there before a resource, children of components included."""
    by_urn = {each.urn: each for each in stack.resources}
    found: set[str] = set()
    waiting = [resource]
    while waiting:
        for urn in waiting.pop().dependencies:
            for each in (urn, *(other.urn for other in stack.resources if other.parent == urn)):
                if each not in found:
                    found.add(each)
                    waiting.append(by_urn[each])
    return found


@pytest.mark.parametrize(
    ("recorded", "growth"),
    [
        ({"phase": 3.0}, "move"),
        ({"phase": 4.0, "growth": "move"}, "route"),
        ({"phase": 4.0, "growth": "route"}, "retire"),
        ({"phase": 4.0, "growth": "retire"}, "retire"),
        ({"phase": 4.0, "growth": "remove"}, "done"),
        ({"phase": 4.0, "growth": "done"}, "done"),
        ({"phase": 4.0}, None),
    ],
)
def test_each_update_does_the_step_after_the_last_one(recorded: dict[str, Any], growth: str | None) -> None:
    variant = grown(**recorded)
    assert engine.run(variant.config, variant.stack, deployed=variant.deployed).outputs.get("growth") == growth


def test_former_tables_are_removed_once_the_former_release_is_gone() -> None:
    removed = {"database.former_tables": "removed"}
    for recorded, growth in (("route", "retire"), ("retire", "remove")):
        variant = grown(removed, phase=4.0, growth=recorded)
        assert engine.run(variant.config, variant.stack, deployed=variant.deployed).outputs["growth"] == growth


@pytest.mark.parametrize("former", [1, 2])
def test_other_phases_grow_to_phase_3_first(former: int) -> None:
    variant = grown(phase=float(former))
    with pytest.raises(
        pulumi.RunError,
        match=rf"^task-manager:phase: a stack of phase {former} grows to phase 3 first: set it to that$",
    ):
        engine.run(variant.config, variant.stack, deployed=variant.deployed)


@pytest.mark.parametrize("number", [1, 2, 3])
def test_services_do_not_go_back_into_one_database(number: int) -> None:
    with pytest.raises(pulumi.RunError, match=r"^task-manager:phase: its services have databases of their own.*to 4$"):
        engine.run(engine.stack_file(f"phase{number}"), deployed={"phase": 4.0})


@pytest.mark.parametrize("size", SIZES)
def test_the_former_release_publishes_its_events_before_a_service_leaves_it(size: str) -> None:
    stack = stack_of(size)
    former = release(stack, ALL)
    assert values(stack, ALL)["env"]["APP_EVENTS_HOST"] == names.RABBITMQ
    assert "APP_BROKER_VIRTUAL_HOST" not in values(stack, ALL)["env"], "its jobs stay with the broker that they have"
    assert stack.find("Job", names.RABBITMQ_CONFIGURATION).urn in before(stack, former)
    for service in SERVICES:
        prepare = stack.find("Job", f"{ServiceNames(service).move}-prepare")
        assert former.urn in before(stack, prepare)


@pytest.mark.parametrize("size", SIZES)
def test_a_service_starts_once_its_tables_are_copied(size: str) -> None:
    stack = stack_of(size)
    for own in map(ServiceNames, SERVICES):
        prepare, wait = (stack.find("Job", f"{own.move}-{step}") for step in ("prepare", "wait"))
        subscription = stack.find("Subscription", own.move)
        assert prepare.urn in before(stack, subscription)
        assert subscription.urn in before(stack, wait)
        assert wait.urn in before(stack, release(stack, own.service))
        assert values(stack, own.service)["move"]["enabled"]


def test_services_move_one_after_the_other_and_the_sessions_last() -> None:
    stack = stack_of("phase4-move")
    moving = sorted(SERVICES, key=lambda service: len(before(stack, release(stack, service))))
    for first, second in itertools.pairwise(moving):
        assert release(stack, first).urn in before(stack, release(stack, second))
    assert moving[-1] == names.SESSIONS


@pytest.mark.parametrize("size", SIZES)
def test_a_subscription_reads_from_the_former_database_by_a_slot_that_is_there(size: str) -> None:
    stack = stack_of(size)
    former = stack.find("Cluster", names.DATABASE_CLUSTER).inputs["spec"]
    role = next(each for each in former["managed"]["roles"] if each["name"] == names.REPLICATION_ROLE)
    assert (role["replication"], role["inRoles"]) == (True, [names.DATABASE_NAME])
    for own in map(ServiceNames, SERVICES):
        spec = stack.find("Subscription", own.move).inputs["spec"]
        assert spec["parameters"] == {"create_slot": "false", "slot_name": f"split_{own.service}"}
        cluster = stack.find("Cluster", spec["cluster"]["name"]).inputs["spec"]
        [known] = [each for each in cluster["externalClusters"] if each["name"] == spec["externalClusterName"]]
        assert known["connectionParameters"]["host"] == f"{names.DATABASE_CLUSTER}-rw"
        assert known["connectionParameters"]["user"] == role["name"]
        assert known["password"]["name"] == role["passwordSecret"]["name"]


def test_clusters_of_services_reach_the_former_one() -> None:
    stack = stack_of("phase4-move-standard")
    policy = stack.find("NetworkPolicy", "task-manager-auth-database").inputs["spec"]
    to = [
        peer["podSelector"]["matchLabels"] for rule in policy["egress"] for peer in rule["to"] if "podSelector" in peer
    ]
    assert names.DATABASE_LABELS in to
    former = stack.find("NetworkPolicy", "task-manager-database").inputs["spec"]
    from_ = [
        peer["podSelector"]["matchLabels"]
        for rule in former["ingress"]
        for peer in rule["from"]
        if "podSelector" in peer
    ]
    assert names.DATABASE_LABELS in from_
    assert names.API_LABELS in from_, "Jobs of services look at it too"


def test_requests_come_in_at_the_former_release_until_all_have_moved() -> None:
    moving, routed = stack_of("phase4-move"), stack_of("phase4-route")
    assert values(moving, ALL)["route"]["enabled"]
    assert not any(values(moving, service)["route"]["enabled"] for service in SERVICES)
    assert not values(routed, ALL)["route"]["enabled"]
    assert all(values(routed, service)["route"]["enabled"] for service in SERVICES)
    last = before(routed, release(routed, ALL))
    assert all(release(routed, service).urn in last for service in SERVICES)
    assert moving.find("Service", names.EDGE_ORIGIN).inputs["spec"]["selector"] == FORMER.server_labels
    assert routed.find("Service", names.EDGE_ORIGIN).inputs["spec"]["selector"] == ServiceNames("tasks").server_labels


def test_the_second_update_changes_no_pod() -> None:
    moving, routed = stack_of("phase4-move"), stack_of("phase4-route")
    for service in (ALL, *SERVICES):
        before_, after = ({**values(stack, service), "route": None} for stack in (moving, routed))
        for each in (before_, after):
            each["move"] = {**each.get("move", {}), "switch": None}  # a Job
        assert before_ == after, service


def test_former_and_new_servers_may_call_each_other() -> None:
    stack = stack_of("phase4-move")
    pods = {"podSelector": {"matchLabels": names.API_LABELS}}
    for service in (ALL, *SERVICES):
        policy = values(stack, service)["networkPolicy"]
        assert pods in policy["ingressFrom"]
        assert {"to": [pods], "ports": [{"port": names.API_PORT, "protocol": "TCP"}]} in policy["egressTo"]


def test_tokens_are_verified_by_whoever_has_the_keys() -> None:
    for name, issuer in (("phase4-route", FORMER.release), ("phase4-retire", "task-manager-auth")):
        for service in SERVICES[1:]:
            url = values(stack_of(name), service)["env"]["APP_JWKS_URL"]
            assert url == f"http://{issuer}:{names.API_PORT}{names.KEYS_PATH}"


def test_the_former_release_and_its_broker_go_last() -> None:
    for name, there in (("phase4-move", True), ("phase4-route", True), ("phase4-retire", False)):
        stack = stack_of(name)
        assert (FORMER.release in {each.object_name for each in stack.releases}) is there
        assert (names.BROKER in {each.object_name for each in stack.objects}) is there


def test_the_former_tables_stay_until_a_setting_removes_them() -> None:
    for size in ("phase4-retire", "phase4-retire-standard"):
        assert stack_of(size).find("Cluster", names.DATABASE_CLUSTER)
    hibernated = stack_of("phase4-retire-standard").find("Cluster", names.DATABASE_CLUSTER)
    assert hibernated.inputs["metadata"]["annotations"]["cnpg.io/hibernation"] == "on"
    removing = stack_of("phase4-remove")
    for service in SERVICES:
        job = removing.find("Job", f"{ServiceNames(service).move}-remove").inputs["spec"]["template"]["spec"]
        assert job["containers"][0]["args"] == ["remove", "--service", service]


def test_the_role_that_moved_the_tables_is_dropped_in_the_end() -> None:
    [*_, role] = stack_of("phase4-grown").find("Cluster", names.DATABASE_CLUSTER).inputs["spec"]["managed"]["roles"]
    assert role == {"name": names.REPLICATION_ROLE, "ensure": "absent"}


def test_no_update_changes_the_kind_of_a_gateway_by_itself() -> None:
    for name in ("phase4-move", "phase4-retire", "phase4-grown"):
        stack = stack_of(name)
        assert stack.find("Gateway").inputs["spec"]["gatewayClassName"] == "traefik"
        assert not stack.has("PeerAuthentication")
    variant = grown({"gateway": {"kind": "istio"}}, phase=4.0, growth="done")
    stack = engine.run(variant.config, variant.stack, deployed=variant.deployed)
    assert stack.find("Gateway").inputs["spec"]["gatewayClassName"] == "istio"
    assert stack.has("PeerAuthentication")


@pytest.mark.parametrize("size", list(Size))
def test_growing_restarts_no_server_of_the_database(size: Size) -> None:
    assert parameters(phase(3, size).postgresql) == parameters(phase(4, size).postgresql)
    assert int(parameters(PHASES[3].postgresql)["max_logical_replication_workers"]) >= len(SERVICES) + 2
