"""Runs of the program that many tests look at."""

import pytest

from tests.infra import engine
from tests.infra.engine import Stack
from tests.infra.variants import VARIANTS as SNAPSHOTS

VARIANTS = {
    "phase1": engine.stack_file("phase1"),
    "phase1-postgresql": {**engine.stack_file("phase1"), "task-manager:database.kind": "postgresql"},
    "phase2": engine.stack_file("phase2"),
    "phase3": engine.stack_file("phase3"),
    "phase4": {
        **engine.stack_file("phase4"),
        **{f"task-manager:{key}": value for key, value in engine.WITHOUT_MESH.items()},
    },
    "phase4-istio": engine.stack_file("phase4"),
    "phase4-kong": SNAPSHOTS["phase4-kong"].config,
    "phase3-grafana": {**engine.stack_file("phase3"), "task-manager:monitoring.grafana": "true"},
    "phase2-whole": {
        **engine.stack_file("phase2"),
        "task-manager:monitoring.grafana": "true",
        "task-manager:backups.bucket": "backups",
    },
    "phase3-operator": {
        **engine.stack_file("phase3"),
        "task-manager:monitoring.mode": "operator",
        "task-manager:monitoring.namespace": "watch",
        "task-manager:monitoring.release": "kube-prometheus-stack",
    },
    "phase1-shipped": {
        **engine.stack_file("phase1"),
        "task-manager:logs.destination": "elasticsearch",
        "task-manager:logs.endpoint": "https://logs.example.com",
    },
    "phase1-gateway": {
        **engine.stack_file("phase1"),
        "task-manager:hostname": "tasks.example.com",
        "task-manager:gateway.enabled": "true",
        "task-manager:gateway.certificate": "acme",
        "task-manager:gateway.redirect_http": "true",
    },
    "phase3-shipped": {**engine.stack_file("phase3"), "task-manager:logs.destination": "operator"},
    "phase2-tls-only": {
        "task-manager:phase": "2",
        "task-manager:hostname": "tasks.example.com",
        "task-manager:gateway.redirect_http": "true",
        "task-manager:gateway.load_balancing": "round-robin",
        "task-manager:storage_class": "fast",
    },
}


@pytest.fixture(scope="session")
def variants() -> dict[str, Stack]:
    """The program's whole answer to each variant of its configuration."""
    return {name: engine.run(config, name) for name, config in VARIANTS.items()}


@pytest.fixture(params=VARIANTS)
def stack(request: pytest.FixtureRequest, variants: dict[str, Stack]) -> Stack:
    """Each variant in turn."""
    return variants[request.param]


@pytest.fixture
def phase1(variants: dict[str, Stack]) -> Stack:
    """The example stack `phase1`."""
    return variants["phase1"]


@pytest.fixture
def phase1_gateway(variants: dict[str, Stack]) -> Stack:
    """Phase 1 behind a gateway, with a certificate by ACME."""
    return variants["phase1-gateway"]


@pytest.fixture
def phase2(variants: dict[str, Stack]) -> Stack:
    """The example stack `phase2`."""
    return variants["phase2"]


@pytest.fixture
def phase3(variants: dict[str, Stack]) -> Stack:
    """The example stack `phase3`."""
    return variants["phase3"]


@pytest.fixture
def phase4(variants: dict[str, Stack]) -> Stack:
    """The example stack `phase4` without mesh."""
    return variants["phase4"]


@pytest.fixture
def phase4_istio(variants: dict[str, Stack]) -> Stack:
    """The example stack `phase4` with Istio's gateway and mesh."""
    return variants["phase4-istio"]


@pytest.fixture
def phase4_kong(variants: dict[str, Stack]) -> Stack:
    """The example stack `phase4` behind Kong, which checks tokens."""
    return variants["phase4-kong"]


@pytest.fixture
def phase1_postgresql(variants: dict[str, Stack]) -> Stack:
    """Phase 1 on PostgreSQL."""
    return variants["phase1-postgresql"]


@pytest.fixture
def tls_only(variants: dict[str, Stack]) -> Stack:
    """Phase 2 under a host name, plain HTTP sent on to TLS, with the default protection of data."""
    return variants["phase2-tls-only"]
