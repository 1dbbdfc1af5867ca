"""The stack on its hundred nodes, brought up once for all tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from local.cluster.control_plane import ControlPlane
from tests.scale import simulation
from tests.scale.demand import Demand
from tests.scale.view import Cluster
from tests.support.prometheus import prometheus_of


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the tests of the spread first, before anything moves the pods."""
    items.sort(key=lambda item: item.path.stem != "test_spread")


@pytest.fixture(scope="session")
def plane() -> Iterator[ControlPlane]:
    with simulation.simulated() as plane:
        simulation.bring_up()
        yield plane


@pytest.fixture(scope="session")
def cluster(plane: ControlPlane) -> Cluster:
    return Cluster(plane)


@pytest.fixture
def demand(plane: ControlPlane, cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demand]:
    """No load at first; what the autoscaler sees of it comes through a real Prometheus and the real adapter."""
    demand = Demand(cluster)
    folder = tmp_path_factory.mktemp("prometheus")
    with prometheus_of(demand.metrics, folder, seconds=2) as prometheus:
        simulation.serve_metrics(plane, prometheus)
        yield demand
