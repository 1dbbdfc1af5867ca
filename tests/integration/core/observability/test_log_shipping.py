"""Log shipping: a real Filebeat with the stack's configuration, and a fake Elasticsearch that implements `_bulk`.

Filebeat is 7.17, the newest version whose source is in a registry; the stack uses the image of a later one.
"""

import base64
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.cli.ensure_certificate import self_signed
from app.core.version import version
from infra.components.observability.filebeat import Shipping
from infra.phases import PHASES
from tests.support.elasticsearch import SECRET, Store, elasticsearch
from tests.support.filebeat import Node
from tests.support.ports import free_port, wait_for
from tests.support.server import Server

POD = "task-manager-prod_task-manager-6c5d_0a1b"
FIELDS = {
    "namespace": "task-manager-prod",
    "pod": {"name": "task-manager-6c5d", "uid": "0a1b"},
    "container": {"name": "api"},
}


@pytest.fixture
def node(tmp_path: Path) -> Node:
    return Node(tmp_path)


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
def shipping(node: Node) -> Shipping:
    endpoint = f"http://127.0.0.1:{free_port()}"
    credentials = {"api_key": "${SECRET}"}
    return Shipping("task-manager-prod", "prod", endpoint, credentials, PHASES[1].logs, pods=str(node.pods))


def port(shipping: Shipping) -> int:
    return int(shipping.endpoint.rpartition(":")[2])


def messages(store: Store) -> list[str]:
    # a copy, since the server adds documents concurrently
    return [document["message"] for document in list(store.documents.values()) if "message" in document]


def all_of(store: Store, lines: list[str]) -> Callable[[], bool]:
    return lambda: set(lines) <= set(messages(store))


def arrived(store: Store, message: str) -> dict[str, Any]:
    """Wait for the one document with this message, and return it."""
    wait_for(all_of(store, [message]), f"{message} arrives")
    [found] = [document for document in store.documents.values() if document.get("message") == message]
    return found


def numbered(name: str, count: int, padding: int = 0) -> list[str]:
    return [f"{name} {number} {'x' * padding}".strip() for number in range(count)]


def test_a_json_line_of_the_api_arrives_with_its_fields(
    node: Node, store: Store, shipping: Shipping, running: Server
) -> None:
    asked = httpx.get(f"{running.url}/api/v1/auth/jwks.json", headers={"X-Request-ID": "shipped-0123456789"})
    wait_for(lambda: "shipped-0123456789" in running.log.read_text(), "the request is in the API's log")
    [line] = [line for line in running.log.read_text().splitlines() if "shipped-0123456789" in line]
    line = line.replace("{", '{"trace_id":"4bf92f3577b34da6a3ce929d0e0e4736",', 1)
    node.write(POD, [line])
    with elasticsearch(store, port(shipping)), node.shipper(shipping, SECRET):
        found = arrived(store, "request")
    said = json.loads(line)
    moment = datetime.fromisoformat(said["timestamp"])
    assert abs(datetime.fromisoformat(found["@timestamp"]).astimezone(UTC) - moment).total_seconds() <= 0.001
    assert found["log"]["level"] == "info"
    assert found["http"] == {
        "request": {"id": "shipped-0123456789", "method": "GET"},
        "response": {"status_code": asked.status_code},
    }
    assert found["url"] == {"path": "/api/v1/auth/jwks.json"}
    assert found["trace"] == {"id": "4bf92f3577b34da6a3ce929d0e0e4736"}
    assert found["service"] == {"name": "task-manager", "environment": "prod", "version": version()}
    assert found["kubernetes"] == FIELDS
    assert found["host"] == {"name": "node-1"}
    assert found["duration_ms"] == said["duration_ms"]
    assert found["json"]["route"] == "/api/v1/auth/jwks.json"
    assert found.keys().isdisjoint({"agent", "ecs", "input"})


NO_OBJECTS = ["plain words", "12", '"quoted"', "[1, 2]", "null", "{half", '{"whole": 1} and more', "ünïcode ✓"]


def test_a_line_that_is_no_json_object_is_the_message(node: Node, store: Store, shipping: Shipping) -> None:
    node.write(POD, NO_OBJECTS, stream="stdout")
    with elasticsearch(store, port(shipping)), node.shipper(shipping, SECRET):
        wait_for(all_of(store, NO_OBJECTS), "all arrive")
    assert sorted(messages(store)) == sorted(NO_OBJECTS)
    for document in store.documents.values():
        assert document["stream"] == "stdout"
        assert document["kubernetes"] == FIELDS
        assert "json" not in document


def test_a_value_of_another_type_than_its_field_stays_under_json(node: Node, store: Store, shipping: Shipping) -> None:
    node.write(POD, ['{"event": "odd", "status": "none", "duration_ms": {"of": 1}, "level": 30, "timestamp": "soon"}'])
    with elasticsearch(store, port(shipping)), node.shipper(shipping, SECRET):
        found = arrived(store, "odd")
    assert found["json"] == {"status": "none", "duration_ms": {"of": 1}, "timestamp": "soon"}
    assert found["log"]["level"] == "30"
    assert "duration_ms" not in found
    assert abs(datetime.now(UTC) - datetime.fromisoformat(found["@timestamp"])).total_seconds() < 300


def test_a_line_split_by_the_container_runtime_is_one_document(node: Node, store: Store, shipping: Shipping) -> None:
    text = "".join(f"{number:010}" for number in range(10_240))
    assert len(text) > 100_000
    node.write(POD, [json.dumps({"event": text, "level": "error"})])
    with elasticsearch(store, port(shipping)), node.shipper(shipping, SECRET):
        assert arrived(store, text)["log"]["level"] == "error"
    assert len(store.documents) == 1


def test_pods_of_other_namespaces_are_not_read(node: Node, store: Store, shipping: Shipping) -> None:
    for other in ("task-manager-prod-logs_shipper_1", "task-manager-production_api_2", "kube-system_dns_3"):
        node.write(other, ["of others"])
    node.write(POD, ["of the stack"])
    with elasticsearch(store, port(shipping)), node.shipper(shipping, SECRET):
        arrived(store, "of the stack")
    assert messages(store) == ["of the stack"]


def test_a_restarted_shipper_sends_new_lines_and_none_twice(node: Node, store: Store, shipping: Shipping) -> None:
    before, after = numbered("before", 300), numbered("after", 300)
    node.write(POD, before)
    with elasticsearch(store, port(shipping)):
        with node.shipper(shipping, SECRET):
            wait_for(all_of(store, before), "the first half arrives")
        node.write(POD, after)
        with node.shipper(shipping, SECRET):
            wait_for(all_of(store, after), "the second half arrives")
    assert sorted(messages(store)) == sorted(before + after)


def test_a_shipper_that_lost_its_registry_creates_no_duplicate_documents(
    node: Node, store: Store, shipping: Shipping
) -> None:
    lines = numbered("line", 300)
    file = node.write(POD, lines)
    with elasticsearch(store, port(shipping)):
        with node.shipper(shipping, SECRET):
            wait_for(all_of(store, lines), "all arrive")
        (node.folder / "data").rename(node.folder / "lost")
        file.rename(file.with_name("0.log.20300102-030405"))
        with node.shipper(shipping, SECRET):
            wait_for(lambda: store.duplicates >= len(lines), "all are sent again")
    assert sorted(messages(store)) == sorted(lines)


def test_nothing_is_lost_while_elasticsearch_is_unavailable(node: Node, store: Store, shipping: Shipping) -> None:
    first, second, third, fourth = (numbered(name, 500, 100) for name in ("first", "second", "third", "fourth"))
    file = node.write(POD, first)
    with node.shipper(shipping, SECRET) as process:
        wait_for(lambda: "connection refused" in node.said, "it fails to reach Elasticsearch")
        wait_for(lambda: node.waiting() > 100 * len(first), "the first lines are in its queue")
        # The kubelet rotates a full file; then the node loses power.
        file.rename(file.with_name("0.log.20300102-030405"))
        node.write(POD, second)
        process.kill()
        process.wait(10)
    node.write(POD, third)
    file.rename(file.with_name("0.log.20300102-040506"))
    node.write(POD, fourth)
    store.busy = 2  # and Elasticsearch is overloaded when it is back
    with node.shipper(shipping, SECRET), elasticsearch(store, port(shipping)):
        wait_for(all_of(store, first + second + third + fourth), "all arrive")
    assert store.busy == 0
    assert sorted(messages(store)) == sorted(first + second + third + fourth)


def test_the_disk_queue_stays_within_its_limit_and_the_rest_is_read_later(
    node: Node, store: Store, shipping: Shipping
) -> None:
    limit = 10
    lines = numbered("line", 10_000, 1000)
    node.write(POD, lines)
    small = replace(shipping, row=replace(shipping.row, buffer=limit))
    most = 0
    with node.shipper(small, SECRET):

        def full() -> bool:
            nonlocal most
            before, most = most, max(most, node.waiting())
            return most > 0.8 * limit * 2**20 and most == before

        wait_for(full, "the queue is full")
        with elasticsearch(store, port(small)):
            wait_for(all_of(store, lines), "all arrive")
    assert most <= limit * 2**20
    assert len(store.documents) == len(lines)


def test_basic_authentication_and_a_private_ca_work_too(node: Node, store: Store, shipping: Shipping) -> None:
    made = self_signed(["127.0.0.1"], datetime.now(UTC))
    certificate, key = (base64.b64decode(made[name]) for name in ("tls.crt", "tls.key"))
    (node.folder / "server.pem").write_bytes(certificate + key)
    # The layout of a mounted Secret.
    trusted = node.folder / "trusted"
    (trusted / "..2030").mkdir(parents=True)
    (trusted / "..2030" / "ca.crt").write_bytes(certificate)
    (trusted / "..data").symlink_to("..2030")
    (trusted / "ca.crt").symlink_to("..data/ca.crt")
    user, _, password = SECRET.partition(":")
    secured = replace(
        shipping,
        endpoint=shipping.endpoint.replace("http:", "https:"),
        credentials={"username": user, "password": "${SECRET}"},
    )
    node.write(POD, ["behind TLS"])
    with elasticsearch(store, port(secured), node.folder / "server.pem"), node.shipper(secured, password):
        arrived(store, "behind TLS")


def test_the_index_template_is_installed_before_the_first_line_and_replaces_the_former_one(
    node: Node, store: Store, shipping: Shipping
) -> None:
    store.templates[shipping.stream] = {"index_patterns": [shipping.stream], "of": "a former version"}
    node.write(POD, ["a line"])
    with elasticsearch(store, port(shipping)), node.shipper(shipping, SECRET):
        arrived(store, "a line")
    template = store.templates[shipping.stream]
    assert template["template"]["lifecycle"] == {"data_retention": "7d"}
    assert template["data_stream"] == {}
    assert {stream for stream, _ in store.documents} == {shipping.stream}
