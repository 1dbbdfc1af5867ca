"""The address at which a stack answers: as it is set, of the nodes, or of the gateway."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from local.errors import LocalError
from local.stack import address, pulumi
from local.stack.place import Place, place_of
from tests.plugins.test_kubeconfig import write

Objects = list[dict[str, Any]]

LOOPBACK = {"namespace": "n", "url": "http://127.0.0.1:30080"}
GATEWAY = {"namespace": "n", "url": "http://127.0.0.1:30090", "url_tls": "https://127.0.0.1:30443"}


def node(**addresses: str) -> dict[str, Any]:
    return {"status": {"addresses": [{"type": kind, "address": value} for kind, value in addresses.items()]}}


NODES = [node(InternalIP="10.0.0.1", Hostname="a"), node(InternalIP="10.0.0.2", ExternalIP="fd::2")]
API = {"metadata": {"name": "task-manager"}, "spec": {"ports": [{"port": 8000, "nodePort": 31000}]}}
TRAEFIK = {
    "metadata": {"name": "traefik"},
    "spec": {"ports": [{"port": 80, "nodePort": 32080}, {"port": 443, "nodePort": 32443}]},
    "status": {"loadBalancer": {"ingress": [{"hostname": "lb.example.com"}]}},
}
REPORTED = {"status": {"addresses": [{"type": "IPAddress", "value": "192.0.2.1"}]}}


@dataclass(frozen=True)
class Cluster(Place):
    """A place in a cluster of these objects, by namespace (the stack's is empty) and kind."""

    namespace: str = "n"
    found: dict[tuple[str, str], Objects] = field(default_factory=dict)

    def objects(self, kind: str, namespace: str = "") -> Objects:
        return self.found.get((namespace, kind.partition(".")[0]), [])


NODE_PORT = Cluster(found={("", "nodes"): NODES, ("", "services"): [API]})


@pytest.fixture
def remote(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The kubeconfig of a cluster elsewhere."""
    monkeypatch.setenv("KUBECONFIG", str(write(tmp_path / "kubeconfig")))


@pytest.fixture
def mapped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The kubeconfig of a cluster whose API server answers on loopback, as that of kind does."""
    clusters = [{"name": "one", "cluster": {"server": "https://127.0.0.1:6443"}}]
    monkeypatch.setenv("KUBECONFIG", str(write(tmp_path / "kubeconfig", clusters=clusters)))


def test_the_local_cluster_answers_on_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KUBECONFIG", raising=False)
    assert address.candidates(LOOPBACK, NODE_PORT) == ["http://127.0.0.1:30080"]


@pytest.mark.usefixtures("remote")
def test_an_address_that_is_set_is_taken() -> None:
    outputs = {"namespace": "n", "url": "https://tasks.example.com"}
    assert address.candidates(outputs, NODE_PORT) == ["https://tasks.example.com"]


@pytest.mark.usefixtures("remote")
def test_a_cluster_elsewhere_answers_at_the_port_of_its_nodes() -> None:
    assert address.candidates(LOOPBACK, NODE_PORT) == [
        "http://[fd::2]:31000",
        "http://10.0.0.1:31000",
        "http://10.0.0.2:31000",
    ]


@pytest.mark.usefixtures("mapped")
def test_a_cluster_on_this_machine_may_have_its_ports_mapped_to_loopback() -> None:
    found = address.candidates(LOOPBACK, NODE_PORT)
    assert found[0] == "http://127.0.0.1:30080"
    assert "http://10.0.0.1:31000" in found


@pytest.mark.usefixtures("remote")
def test_a_gateway_answers_where_it_reports_or_at_its_load_balancer_or_its_node_port() -> None:
    objects = {("", "nodes"): NODES, ("", "gateways"): [REPORTED], ("traefik", "services"): [TRAEFIK]}
    cluster = Cluster(found=objects)
    assert address.candidates(GATEWAY, cluster)[:3] == [
        "http://192.0.2.1",
        "http://lb.example.com",
        "http://[fd::2]:32080",
    ]
    assert address.candidates(GATEWAY, cluster, "https")[:3] == [
        "https://192.0.2.1",
        "https://lb.example.com",
        "https://[fd::2]:32443",
    ]


@pytest.mark.usefixtures("remote")
def test_a_cluster_without_any_address_is_told_how_to_name_one() -> None:
    with pytest.raises(LocalError, match="nothing in the cluster has an address: set task-manager:url"):
        address.candidates(GATEWAY, Cluster())


class _Ready(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/health/ready" else 404)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Write nothing."""


@pytest.fixture
def ready() -> Iterator[str]:
    """The address of a server that is ready."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Ready) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_the_first_address_that_answers_is_taken(ready: str) -> None:
    assert address.first_answering(["http://127.0.0.1:1", ready]) == ready


def test_one_line_says_which_addresses_do_not_answer() -> None:
    with pytest.raises(LocalError, match=r"http://127.0.0.1:1 does not answer: .*; task-manager:url says") as caught:
        address.first_answering(["http://127.0.0.1:1"], seconds=0)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("config", "place"),
    [
        ({}, Place("n")),
        ({"kubernetes:context": {"value": "prod"}}, Place("n", "prod")),
        ({"task-manager:gateway": {"value": "", "objectValue": {"namespace": "edge"}}}, Place("n", "", "edge")),
        ({"task-manager:gateway_namespace": {"value": "edge"}}, Place("n", "", "edge")),
    ],
)
def test_the_place_of_a_stack_is_read_from_its_configuration(
    monkeypatch: pytest.MonkeyPatch, config: dict[str, Any], place: Place
) -> None:
    monkeypatch.setattr(pulumi, "run", lambda *_, **__: json.dumps(config))
    assert place_of("prod", {"namespace": "n"}) == place


def test_the_stack_says_where_its_gateway_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pulumi, "run", lambda *_, **__: "{}")
    assert place_of("prod", {"namespace": "n", "gateway_namespace": "n"}) == Place("n", "", "n")


def test_kubectl_is_used_in_the_stacks_own_context(monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[tuple[str, ...]] = []

    def run(*words: str, **_: object) -> str:
        ran.append(words)
        return ""

    monkeypatch.setattr("local.stack.place.run", run)
    Place("n", "prod").kubectl("get", "pods")
    assert ran == [("kubectl", "--context=prod", "--namespace", "n", "get", "pods")]
