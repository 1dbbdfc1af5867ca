"""Addresses of both families, and where the API server listens."""

from collections.abc import Iterator
from typing import Any

import pulumi
import pytest

from infra import names
from infra.config.settings import load_settings
from tests.infra import engine
from tests.infra.engine import Stack

BOTH = {"0.0.0.0/0", "::/0"}


def rules(stack: Stack) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each rule of each policy, the chart's included, with whose it is."""
    for resource in stack.objects:
        if resource.kind == "NetworkPolicy":
            for rule in resource.inputs["spec"].get("egress", []):
                yield resource.object_name, rule
    for rule in stack.values["networkPolicy"]["egressTo"]:
        yield "chart", rule


def test_who_may_call_any_address_may_call_those_of_either_family(stack: Stack) -> None:
    for name, rule in rules(stack):
        blocks = {peer["ipBlock"]["cidr"] for peer in rule["to"] if "ipBlock" in peer}
        assert blocks in (set(), BOTH), name


def ports_of_api_server(stack: Stack) -> dict[str, set[int]]:
    callers = (names.SECRET_MAKER, names.CERTIFICATE_RENEWAL, names.DATABASE_CLUSTER, names.PROMETHEUS)
    return {
        name: {int(port["port"]) for port in rule["ports"]}
        for name, rule in rules(stack)
        if name in callers and any("ipBlock" in peer for peer in rule["to"])
    }


def test_the_ports_of_the_api_server_are_a_setting() -> None:
    config = {**engine.stack_file("phase3"), "task-manager:backup_bucket": ""}
    told = ports_of_api_server(engine.run(config))
    assert len(told) == 4
    assert set(map(frozenset, told.values())) == {frozenset({443, 6443})}
    other = engine.run({**config, "task-manager:api_server_ports": "443, 16443"})
    assert set(map(frozenset, ports_of_api_server(other).values())) == {frozenset({443, 16443})}


@pytest.mark.parametrize("ports", ["https", "443,", "0", "443,70000", "443;6443", "-1"])
def test_what_are_no_ports_is_answered_in_one_line(ports: str) -> None:
    with pytest.raises(pulumi.RunError, match="are not ports: write them as 443,6443"):
        load_settings({"task-manager:api_server_ports": ports})


def test_a_service_has_an_address_of_each_family_that_the_cluster_has(phase3: Stack) -> None:
    services = [each for each in phase3.objects if each.kind == "Service"]
    assert services
    for service in services:
        spec = service.inputs["spec"]
        # Valkey's servers know each other by the one address that a pod announces.
        alone = service.object_name in (names.CACHE_PODS, names.BROKER_PODS)
        assert spec.get("ipFamilyPolicy") == (None if alone else "PreferDualStack"), service.name
