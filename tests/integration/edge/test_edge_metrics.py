"""Metrics of the edge's exporter, on a real Varnish, as rules and dashboards use them."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import httpx
import pytest

from monitoring import catalogue
from tests.support.origin import Origin, origin
from tests.support.ports import free_port, wait_for
from tests.support.varnish import Edge, edge, exporter, told

PUBLIC = {"Cache-Control": "public, max-age=60"}


@pytest.fixture
def api() -> Iterator[Origin]:
    with origin() as started:
        started.headers = PUBLIC
        yield started


@pytest.fixture
def before(api: Origin, tmp_path: Path) -> Iterator[Edge]:
    with edge(tmp_path, api.port) as started:
        yield started


def grow_to(address: str, wanted: Mapping[str, float]) -> None:
    """Wait until counters have these values: Varnish's threads aggregate them with a delay."""
    wait_for(lambda: wanted.items() <= told(address).items(), f"the counters are {wanted}", 10)


def test_the_exporter_has_every_metric_in_use(before: Edge) -> None:
    [listed] = [names for exporter, names in catalogue.exported().items() if exporter.startswith("prometheus_varnish")]
    with exporter(before) as address:
        exported = {sample.partition("{")[0] for sample in told(address)}
        assert set(listed) - exported == set()
        assert httpx.get(f"http://{address}/health").status_code == 200


def test_hits_misses_and_passes_are_distinguished(before: Edge, api: Origin) -> None:
    with exporter(before) as address, httpx.Client(base_url=before.url) as client:
        for path in ("/static/a.js", "/static/a.js", "/static/a.js", "/api/v1/tasks", "/api/v1/tasks"):
            client.get(path)
        wanted = {"varnish_main_cache_hit": 2, "varnish_main_cache_miss": 1, "varnish_main_s_pass": 2}
        grow_to(address, wanted)
        api.headers = {"Cache-Control": "private"}
        for _ in range(3):
            client.get("/static/b.js")
        grow_to(address, {**wanted, "varnish_main_cache_miss": 4})


def test_errors_of_the_api_are_no_failed_fetches(before: Edge, api: Origin) -> None:
    with exporter(before) as address:
        api.status = 500
        assert httpx.get(f"{before.url}/").status_code == 500
        grow_to(address, {'varnish_main_fetch{type="length"}': 1, 'varnish_main_fetch{type="failed"}': 0})


def test_an_unreachable_api_counts_as_three_failed_fetches(tmp_path: Path) -> None:
    with edge(tmp_path, free_port()) as before, exporter(before) as address:
        assert httpx.get(f"{before.url}/").status_code == 503
        grow_to(address, {'varnish_main_fetch{type="failed"}': 3})
