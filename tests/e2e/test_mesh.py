"""Istio on the cluster, with stock Envoy: sidecars under `restricted`, mutual TLS, and a gateway of its class.

The manifests are those of tests/data/mesh. `make e2e-mesh` runs it without a stack.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from urllib.parse import urlsplit
from uuid import uuid4

import httpx
import pytest

from local import paths
from tests.e2e.mesh import GATEWAY_PODS, NAMESPACE, OUTSIDE, SERVICE, Mesh
from tests.e2e.system import is_ready, items, kubectl, run, wait_for

pytestmark = pytest.mark.phases(4)

PYTHON = ".venv/infra/bin/python"
MOST_BYTES = 1_048_576
PER_USER = 10


@pytest.fixture(scope="module")
def mesh() -> Iterator[Mesh]:
    """The trial, up; afterwards its namespaces are gone."""
    run(PYTHON, "-m", "local", "up", "--with", "gateway,istio", timeout=3000).ok()
    trial = Mesh(paths.image_record().read_text().strip())
    try:
        trial.apply("workloads")
        trial.apply("strict")
        trial.kubectl("wait", "--for=condition=Available", "deployment/echo", "--timeout=120s").ok()
        trial.kubectl("wait", "--for=condition=Ready", "pod", "--selector=app=caller", "--timeout=60s").ok()
        trial.apply("gateway")
        trial.kubectl("wait", "--for=condition=Programmed", "gateway/edge", "--timeout=60s").ok()
        trial.kubectl("rollout", "status", "deployment/edge-istio", "--timeout=60s").ok()
        wait_for("the gateway's address", trial.answers)
        yield trial
    finally:
        kubectl("delete", "namespace", NAMESPACE, OUTSIDE, "--ignore-not-found", "--wait=false").ok()


@pytest.fixture(scope="module")
def edge(mesh: Mesh) -> Mesh:
    """The gateway with all that an API gateway does: the limits of users apart, which others would run into."""
    for name in ("edge-jwt", "edge-retries", "edge-body-limit", "edge-connections"):
        mesh.apply(name)
    wait_for("a token to be asked for", lambda: mesh.request().status_code == httpx.codes.UNAUTHORIZED)
    wait_for("the keys", lambda: mesh.request(headers=mesh.token()).status_code == httpx.codes.OK)
    return mesh


def test_pods_get_native_sidecars_where_the_restricted_standard_is_enforced(mesh: Mesh) -> None:
    for pod in mesh.pods("app in (echo, caller)"):
        [sidecar] = [each for each in pod["spec"]["initContainers"] if each["name"] == "istio-proxy"]
        assert sidecar["restartPolicy"] == "Always"
        assert is_ready(pod)
    [namespace] = [each for each in items("namespaces") if each["metadata"]["name"] == NAMESPACE]
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"


def test_only_a_service_account_that_a_policy_names_is_served(mesh: Mesh) -> None:
    wait_for("an answer by the policy", lambda: mesh.ask("allowed").startswith("200 "))
    assert f"spiffe://cluster.local/ns/{NAMESPACE}/sa/allowed" in mesh.ask("allowed")
    assert mesh.ask("other").startswith("403 RBAC")


def test_plain_text_from_a_pod_without_a_sidecar_is_refused(mesh: Mesh) -> None:
    [pod, *_] = mesh.pods("app=echo")
    for url in (SERVICE, f"http://{pod['status']['podIP']}:8080/x"):
        assert mesh.ask("plain", url, OUTSIDE) == "ConnectionResetError"


def test_a_gateway_of_istios_class_serves_routes_over_http_and_tls(mesh: Mesh) -> None:
    seen = mesh.request("/hello").json()
    assert seen["path"] == "/hello"
    assert "sa/edge-istio" in seen["headers"]["x-forwarded-client-cert"]
    with httpx.Client(verify=False, timeout=10) as client:  # noqa: S501 - the trial's certificate is its own
        assert client.get(f"{mesh.url_tls}/hello").json()["headers"]["x-forwarded-proto"] == "https"


def test_envoys_own_counters_of_a_call_can_be_scraped_without_a_certificate(mesh: Mesh) -> None:
    mesh.ask("allowed")
    [pod] = [each for each in mesh.pods("app=caller") if each["metadata"]["name"] == "allowed"]

    def counted() -> bool:
        page = mesh.ask("plain", f"http://{pod['status']['podIP']}:15090/stats/prometheus", OUTSIDE)
        name = f'envoy_cluster_upstream_rq{{cluster_name="outbound|80||echo.{NAMESPACE}.svc.cluster.local"'
        return any(line.startswith(name) and 'response_code_class="2xx"' in line for line in page.splitlines())

    wait_for("the call to be counted", counted)


def test_bad_tokens_end_at_the_gateway_and_missing_ones_on_all_but_public_paths(edge: Mesh) -> None:
    assert edge.request("/public/x").status_code == httpx.codes.OK
    expired, forged = edge.token(age=timedelta(hours=1)), edge.token(forged=True)
    for headers in ({}, expired, forged):
        answer = edge.request("/x", headers=headers)
        assert answer.status_code == httpx.codes.UNAUTHORIZED
        assert answer.headers["www-authenticate"].startswith("Bearer")
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["request_id"] == answer.headers["x-request-id"]
    assert edge.request("/public/x", headers=forged).status_code == httpx.codes.UNAUTHORIZED


@pytest.mark.parametrize(("method", "attempts"), [("GET", 3), ("PUT", 3), ("DELETE", 3), ("POST", 1), ("PATCH", 1)])
def test_only_idempotent_requests_are_retried(edge: Mesh, method: str, attempts: int) -> None:
    marker = uuid4().hex
    assert edge.request(f"/status/503?{marker}", method, headers=edge.token()).status_code == 503
    wait_for("every attempt in the logs", lambda: edge.asked(marker) == attempts, seconds=10)


def test_retries_have_a_budget(edge: Mesh) -> None:
    headers, marker, requests = edge.token(), uuid4().hex, 200

    def send(_: int) -> int:
        return edge.request(f"/status/503?{marker}", headers=headers).status_code

    with ThreadPoolExecutor(32) as pool:
        assert set(pool.map(send, range(requests))) == {httpx.codes.SERVICE_UNAVAILABLE}
    assert edge.asked(marker) < 2.5 * requests


def test_a_body_that_is_too_large_never_reaches_a_service(edge: Mesh) -> None:
    headers, large = edge.token(), b"x" * (MOST_BYTES + 1)
    refused = edge.request("/x", "POST", headers=headers, content=large)
    assert refused.status_code == httpx.codes.REQUEST_ENTITY_TOO_LARGE
    assert refused.json()["status"] == httpx.codes.REQUEST_ENTITY_TOO_LARGE
    assert edge.request("/x", "POST", headers=headers, content=large[:1000]).json()["bytes"] == 1000
    assert edge.request("/uploads/x", "POST", headers=headers, content=large).json()["bytes"] == len(large)


def test_a_request_has_an_id_and_a_trace_in_the_access_log(edge: Mesh) -> None:
    trace = uuid4().hex
    sent = {**edge.token(), "X-Request-ID": "mine", "traceparent": f"00-{trace}-00f067aa0ba902b7-01"}
    answer = edge.request("/x?secret=1", headers=sent)
    request_id = answer.headers["x-request-id"]
    assert answer.json()["headers"]["x-request-id"] == request_id != "mine"
    assert trace in answer.json()["headers"]["traceparent"]
    line = edge.access_log(request_id)
    assert (line["trace_id"], line["path"], line["response_code"]) == (trace, "/x", 200)
    begun = edge.request("/x", headers=edge.token())
    assert edge.access_log(begun.headers["x-request-id"])["trace_id"] in begun.json()["headers"]["traceparent"]


def test_the_clients_address_is_the_last_that_a_trusted_proxy_names(edge: Mesh) -> None:
    headers = {**edge.token(), "X-Forwarded-For": "192.0.2.1, 192.0.2.2"}
    answer = edge.request("/x", headers=headers)
    assert edge.access_log(answer.headers["x-request-id"])["downstream_remote_address"].startswith("192.0.2.2:")


def test_a_slow_service_is_cut_off(edge: Mesh) -> None:
    assert edge.request("/slow?1", headers=edge.token()).status_code == httpx.codes.OK
    assert edge.request("/slow?5", headers=edge.token()).status_code == httpx.codes.GATEWAY_TIMEOUT


def test_a_client_that_never_ends_its_headers_is_cut_off(edge: Mesh) -> None:
    address = urlsplit(edge.url)
    with socket.create_connection((address.hostname, address.port), timeout=20) as client:
        client.sendall(b"GET /x HTTP/1.1\r\nHost: edge\r\nX-Slow: ")
        assert client.recv(100).startswith(b"HTTP/1.1 408 ")


def test_an_instance_that_fails_is_ejected(edge: Mesh) -> None:
    [pod, *_] = edge.pods("app=echo")
    name, headers = pod["metadata"]["name"], edge.token()
    edge.kubectl("exec", name, "--container", "echo", "--", "touch", "/tmp/broken").ok()  # noqa: S108 - the pod's

    def served_by_the_other() -> bool:
        answers = [edge.request("/x", "POST", headers=headers).status_code for _ in range(20)]
        return set(answers) == {httpx.codes.OK}

    try:
        wait_for("20 answers without an error", served_by_the_other, seconds=10)
        assert is_ready(next(each for each in edge.pods("app=echo") if each["metadata"]["name"] == name))
    finally:
        edge.kubectl("exec", name, "--container", "echo", "--", "rm", "/tmp/broken").ok()  # noqa: S108 - the pod's


def test_each_user_has_a_limit_of_their_own(edge: Mesh) -> None:
    with edge.applied("edge-rate-limit"):
        probe = {**edge.token(), "X-Forwarded-For": "192.0.2.9"}
        wait_for("the limit", lambda: "x-ratelimit-limit" in edge.request("/x", headers=probe).headers)
        pods = len(edge.pods(GATEWAY_PODS))
        for address in ("192.0.2.10", "192.0.2.11"):
            headers = {**edge.token(), "X-Forwarded-For": address}
            codes = [edge.request("/x", headers=headers).status_code for _ in range((PER_USER + 3) * pods)]
            served = codes.count(httpx.codes.OK)
            # The buckets of each gateway pod are its own, and requests are spread by chance.
            assert PER_USER <= served <= PER_USER * pods + 2
            assert set(codes) == {httpx.codes.OK, httpx.codes.TOO_MANY_REQUESTS}


def test_a_rolling_restart_of_the_gateway_loses_no_request(edge: Mesh) -> None:
    headers = edge.token()
    edge.kubectl("rollout", "restart", "deployment/edge-istio").ok()
    codes: list[int] = []

    def is_restarted() -> bool:
        codes.extend(edge.request("/x", headers=headers).status_code for _ in range(20))
        return len(edge.pods(GATEWAY_PODS)) == 2 and edge.kubectl(
            "rollout", "status", "deployment/edge-istio", "--watch=false"
        ).text.startswith("deployment")

    wait_for("the restart", is_restarted, seconds=120, every=0.05)
    assert set(codes) == {httpx.codes.OK}
