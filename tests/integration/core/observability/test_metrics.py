"""Metrics: by route template, with bounded cardinality, on their own port."""

import re
from pathlib import Path

import httpx
import pytest
from flask.testing import FlaskClient
from flask_openapi.openapi import OpenAPI
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from app.bootstrap.container import Container, build
from app.bootstrap.http import create_app
from monitoring import catalogue
from tests.support.api import METRICS, V1, Person
from tests.support.ports import wait_for
from tests.support.server import server
from tests.support.settings import make_settings


@pytest.fixture
def app(container: Container) -> OpenAPI:
    """An application without any request yet."""
    return create_app(container)


def samples(client: FlaskClient, name: str) -> list[Sample]:
    text = client.get("/metrics", base_url=METRICS).text
    return [
        sample for family in text_string_to_metric_families(text) for sample in family.samples if sample.name == name
    ]


def test_requests_are_counted_and_timed_by_method_template_and_status(person: Person) -> None:
    task = person.create()
    person.create()
    person.call("GET", f"/tasks/{task['id']}")
    person.call("GET", "/tasks/unknown")
    counts = {
        (sample.labels["method"], sample.labels["url_rule"], sample.labels["status"]): sample.value
        for sample in samples(person.client, "flask_http_request_duration_seconds_count")
    }
    assert counts[("POST", f"{V1}/tasks", "201")] == 2
    assert counts[("GET", f"{V1}/tasks/<task_id>", "200")] == 1
    assert counts[("GET", f"{V1}/tasks/<task_id>", "404")] == 1


def test_unknown_paths_and_methods_share_one_series(app: OpenAPI) -> None:
    client = app.test_client()
    for number in range(30):
        client.get(f"/scan/{number}.php")
        client.open(f"/{number}", method=f"BREW{number}")
        client.open(f"{V1}/tasks", method=f"BREW{number}")
    labels = {
        (sample.labels["method"], sample.labels["url_rule"])
        for sample in samples(client, "flask_http_request_duration_seconds_count")
    }
    assert labels == {("GET", "unmatched"), ("UNKNOWN", "unmatched")}


def test_requests_are_counted_from_none_on(app: OpenAPI) -> None:
    """The autoscaler's rate has a value before the first request."""
    [series] = samples(app.test_client(), "flask_http_request_total")
    assert (series.labels, series.value) == ({"method": "GET", "status": "200"}, 0)


def test_probes_and_scrapes_are_not_counted(app: OpenAPI) -> None:
    client = app.test_client()
    for path in ("/health/live", "/health/ready"):
        assert client.get(path).status_code == 200
    assert samples(client, "flask_http_request_duration_seconds_count") == []


def test_the_metrics_port_serves_metrics_and_nothing_else(app: OpenAPI) -> None:
    client = app.test_client()
    assert client.get("/metrics", base_url=METRICS).status_code == 200
    assert client.get("/metrics").status_code == 404
    for path in ("/", "/health/live", f"{V1}/openapi.json"):
        assert client.get(path, base_url=METRICS).status_code == 404


def test_forged_forwarding_headers_do_not_reach_the_metrics(sqlite_url: str) -> None:
    app = create_app(build(make_settings(sqlite_url, trusted_hops=1)))
    forged = {"Host": "localhost:9464", "X-Forwarded-Host": "localhost:9464", "X-Forwarded-Port": "9464"}
    answer = app.test_client().get("/metrics", headers=forged, base_url="http://localhost:8000")
    assert answer.status_code == 404


def test_in_development_metrics_are_on_the_main_port(sqlite_url: str) -> None:
    client = create_app(build(make_settings(sqlite_url, environment="development"))).test_client()
    assert client.get("/metrics", base_url="http://localhost:8000").status_code == 200


def test_a_server_exposes_metrics_on_their_port_only(tmp_path: Path, sqlite_url: str) -> None:
    with server(tmp_path, sqlite_url) as running:
        assert "process_resident_memory_bytes" in httpx.get(running.metrics_url).text
        assert httpx.get(f"{running.url}/metrics").status_code == 404
        assert httpx.get(running.metrics_url.replace("/metrics", "/health/live")).status_code == 404


def test_build_info_is_exposed(app: OpenAPI) -> None:
    from app.core.version import version

    [info] = samples(app.test_client(), "task_manager_build_info")
    assert info.labels["version"] == version()
    assert samples(app.test_client(), "process_resident_memory_bytes")


def test_a_server_collects_garbage_although_it_did_not_while_it_started(tmp_path: Path, sqlite_url: str) -> None:
    with server(tmp_path, sqlite_url) as running:

        def collections() -> float:
            families = text_string_to_metric_families(httpx.get(running.metrics_url).text)
            return sum(
                s.value for family in families for s in family.samples if s.name == "python_gc_collections_total"
            )

        before = collections()
        wait_for(lambda: collections() > before, "garbage is collected")


def test_the_api_exposes_exactly_the_metrics_in_the_catalogue(app: OpenAPI) -> None:
    exposed = app.test_client().get("/metrics", base_url=METRICS).text
    names = {name for family in text_string_to_metric_families(exposed) for name in _series(family.name, family.type)}
    assert set(catalogue.exported()["The API"]) == names


def test_a_service_without_auth_exposes_those_and_the_metrics_of_its_keys(sqlite_url: str) -> None:
    parts = build(make_settings(sqlite_url), services=("tasks",))
    exposed = create_app(parts).test_client().get("/metrics", base_url=METRICS).text
    parts.database.dispose()
    names = {name for family in text_string_to_metric_families(exposed) for name in _series(family.name, family.type)}
    assert names - set(catalogue.exported()["The API"]) == set(
        catalogue.exported()["The API, of a service without auth"]
    )


def test_every_route_belongs_to_one_service_of_the_dashboards(app: OpenAPI) -> None:
    routes = {rule.rule for rule in app.url_map.iter_rules()} - {"/metrics", "/health/live", "/health/ready"}
    for route in routes | {"unmatched"}:
        assert sum(bool(re.fullmatch(pattern, route)) for pattern in catalogue.ROUTES.values()) == 1, route


def _series(family: str, kind: str) -> set[str]:
    """Return the series names of a metric family, which need not have samples yet."""
    suffixes = {"counter": ("_total",), "histogram": ("_bucket", "_count", "_sum")}
    return {family + suffix for suffix in suffixes.get(kind, ("",)) if not family.endswith("_created")}
