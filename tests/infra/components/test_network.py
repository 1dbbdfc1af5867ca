"""Addresses of both families, and where the API server listens."""

from collections.abc import Iterator
from typing import Any

import pulumi
import pytest

from infra import names
from infra.config.settings import load_settings
from tests.infra import engine
from tests.infra.addresses import WORLD
from tests.infra.engine import Stack

NODE_LOCAL = "169.254.20.10/32"
CALLERS = (names.SECRET_MAKER, names.CERTIFICATE_RENEWAL, names.DATABASE_CLUSTER, names.PROMETHEUS)


def rules(stack: Stack) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each rule of each policy, the chart's included, with whose it is."""
    for resource in stack.objects:
        if resource.kind == "NetworkPolicy":
            for rule in resource.inputs["spec"].get("egress", []):
                yield resource.object_name, rule
    for release in stack.releases:
        for rule in release.inputs["values"]["networkPolicy"]["egressTo"]:
            yield f"chart of {release.object_name}", rule


def blocks(rule: dict[str, Any]) -> dict[str, list[str]]:
    """What a rule leaves out of each of its address blocks."""
    found = [peer["ipBlock"] for peer in rule["to"] if "ipBlock" in peer]
    return {block["cidr"]: block.get("except", []) for block in found}


def test_whoever_calls_any_address_calls_both_families_and_no_metadata(stack: Stack) -> None:
    for name, rule in rules(stack):
        if found := {cidr: out for cidr, out in blocks(rule).items() if cidr != NODE_LOCAL}:
            assert found == WORLD, name


def test_servers_that_may_be_in_the_cluster_are_called_as_pods_too() -> None:
    config = {
        **engine.stack_file("phase3"),
        "task-manager:logs.destination": "elasticsearch",
        "task-manager:logs.endpoint": "https://logs.example.com",
    }
    reached = {name: rule["to"] for name, rule in rules(engine.run(config)) if len(blocks(rule)) == 2}
    for name in (names.DATABASE_CLUSTER, names.ALERTMANAGER, names.LOGS):
        assert {"namespaceSelector": {}} in reached[name], name


def of_api_server(stack: Stack) -> dict[str, dict[str, Any]]:
    """The rule by which each caller of the API server reaches it."""
    found = {
        name: rule
        for name, rule in rules(stack)
        if name in CALLERS and blocks(rule) and {"namespaceSelector": {}} not in rule["to"]  # as the bucket is called
    }
    assert set(found) == set(CALLERS)
    return found


def test_without_an_address_the_api_server_is_called_at_its_ports_anywhere(phase3: Stack) -> None:
    for name, rule in of_api_server(phase3).items():
        assert {int(port["port"]) for port in rule["ports"]} == {443, 6443}, name
        assert blocks(rule) == WORLD, name


def test_the_addresses_and_ports_of_the_api_server_are_settings() -> None:
    config = {
        **engine.stack_file("phase3"),
        "task-manager:network.api_server": ["10.96.0.1", "192.0.2.0/28", "2001:db8::/64"],
        "task-manager:network.api_server_ports": "443, 16443",
    }
    for name, rule in of_api_server(engine.run(config)).items():
        assert {int(port["port"]) for port in rule["ports"]} == {443, 16443}, name
        assert set(blocks(rule)) == {"10.96.0.1/32", "192.0.2.0/28", "2001:db8::/64"}, name


def test_the_former_key_of_the_ports_is_read() -> None:
    assert load_settings({"task-manager:api_server_ports": "443, 16443"}).network.api_server_ports == (443, 16443)


def dns_of(stack: Stack, namespace: str) -> set[str]:
    """Where the pods of a namespace may resolve names, by the policy for all of them."""
    [policy] = [
        each.inputs["spec"]
        for each in stack.objects
        if each.kind == "NetworkPolicy" and each.object_name == "dns" and each.namespace == namespace
    ]
    assert policy["podSelector"] == {"matchLabels": {}}
    for rule in policy["egress"]:
        assert {(port["port"], port["protocol"]) for port in rule["ports"]} == {(53, "UDP"), (53, "TCP")}
    peers = [peer for rule in policy["egress"] for peer in rule["to"]]
    return {
        peer["ipBlock"]["cidr"]
        if "ipBlock" in peer
        else peer["namespaceSelector"]["matchLabels"]["kubernetes.io/metadata.name"]
        for peer in peers
    }


@pytest.mark.parametrize(
    ("addresses", "expected"),
    [
        (None, {"kube-system", NODE_LOCAL}),
        (["169.254.20.11", "fd00:10::a"], {"kube-system", "169.254.20.11/32", "fd00:10::a/128"}),
        ([], {"kube-system"}),
    ],
)
def test_every_pod_resolves_names_at_the_clusters_dns_and_the_nodes_cache(
    addresses: list[str] | None, expected: set[str]
) -> None:
    config = {**engine.stack_file("phase3"), "task-manager:logs.destination": "operator"}
    if addresses is not None:
        config["task-manager:network.node_local_dns"] = addresses
    stack = engine.run(config)
    spaces = [each.object_name for each in stack.objects if each.kind == "Namespace"]
    assert len(spaces) == 2
    for space in spaces:
        assert dns_of(stack, space) == expected, space
    [kube_system, *cache] = stack.values["networkPolicy"]["dnsTo"]
    assert kube_system["namespaceSelector"]["matchLabels"] == {"kubernetes.io/metadata.name": "kube-system"}
    assert {peer["ipBlock"]["cidr"] for peer in cache} == expected - {"kube-system"}


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        *(
            ("network.api_server_ports", ports, "are not ports: write them as 443,6443")
            for ports in ("https", "443,", "0", "443,70000", "443;6443", "-1")
        ),
        ("network.api_server_ports", [], "are not ports: write them as 443,6443"),
        *(
            ("network.api_server", block, "are not address blocks: write them as 10.0.0.1/32,fd00::1/128")
            for block in ("api.example.com", "10.0.0.1/8", "10.0.0.0/33", "10.0.0.1;10.0.0.2")
        ),
        ("network.node_local_dns", "169.254.20.10/32", "are not addresses: write them as 169.254.20.10"),
    ],
)
def test_what_is_no_port_or_address_is_answered_in_one_line(key: str, value: Any, message: str) -> None:
    section, _, name = key.partition(".")
    with pytest.raises(pulumi.RunError) as caught:
        load_settings({f"task-manager:{section}": {name: value}})
    assert str(caught.value).startswith(f"configuration: task-manager:{key}: ")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_service_has_an_address_of_each_family_that_the_cluster_has(phase3: Stack) -> None:
    services = [each for each in phase3.objects if each.kind == "Service"]
    assert services
    for service in services:
        spec = service.inputs["spec"]
        # Valkey's servers know each other by the one address that a pod announces; Erlang's nodes use IPv4.
        alone = service.object_name in (names.CACHE_PODS, names.BROKER_PODS, names.RABBITMQ_NODES)
        assert spec.get("ipFamilyPolicy") == (None if alone else "PreferDualStack"), service.name
