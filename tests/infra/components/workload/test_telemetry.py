"""Traces and errors: off by default, told by address and by the names of Secrets, and let out by the policies."""

import pytest

from infra.config.settings import Settings
from tests.infra import engine
from tests.infra.addresses import OUTSIDE
from tests.infra.engine import Stack

TRACES = {"task-manager:tracing.endpoint": "http://collector.monitoring:4318", "task-manager:tracing.percent": "5"}
ERRORS = {"task-manager:errors.enabled": "true", "task-manager:errors.port": "9000"}


def anywhere(port: int) -> dict[str, object]:
    return {"to": [*OUTSIDE, {"namespaceSelector": {}}], "ports": [{"port": port, "protocol": "TCP"}]}


def test_by_default_nobody_takes_either(phase3: Stack) -> None:
    named = {*phase3.values["env"], *(variable["name"] for variable in phase3.values["envFromSecrets"])}
    assert not any(name.startswith(("APP_TRACES", "APP_SENTRY")) for name in named)
    assert not any({"namespaceSelector": {}} in rule["to"] for rule in phase3.values["networkPolicy"]["egressTo"])


@pytest.mark.parametrize("phase", ["phase1", "phase3"])
def test_traces_go_to_their_endpoint_with_headers_that_may_be_there(phase: str) -> None:
    values = engine.run({**engine.stack_file(phase), **TRACES}).values
    assert values["env"]["APP_TRACES_ENDPOINT"] == "http://collector.monitoring:4318"
    assert values["env"]["APP_TRACES_SHARE"] == "0.05"
    headers = {"name": "APP_TRACES_HEADERS", "secret": "task-manager-traces", "key": "headers", "optional": True}
    assert headers in values["envFromSecrets"]
    assert anywhere(4318) in values["networkPolicy"]["egressTo"]


def test_errors_go_to_an_address_that_only_the_cluster_knows() -> None:
    values = engine.run({**engine.stack_file("phase2"), **ERRORS}).values
    dsn = {"name": "APP_SENTRY_DSN", "secret": "task-manager-sentry", "key": "dsn", "optional": True}
    assert dsn in values["envFromSecrets"]
    assert anywhere(9000) in values["networkPolicy"]["egressTo"]


@pytest.mark.parametrize("endpoint", ["collector:4318", "http://user:word@collector:4318", "http://collector?key=1"])
def test_an_endpoint_that_is_none_or_holds_a_secret_is_refused(endpoint: str) -> None:
    with pytest.raises(ValueError, match="takes no traces"):
        Settings.model_validate({"tracing": {"endpoint": endpoint}})


@pytest.mark.parametrize(
    ("endpoint", "port"), [("https://otlp.example.com", 443), ("http://otlp.example.com/intake", 80)]
)
def test_an_endpoint_without_a_port_is_let_out_at_that_of_its_scheme(endpoint: str, port: int) -> None:
    values = engine.run({**engine.stack_file("phase1"), "task-manager:tracing.endpoint": endpoint}).values
    assert anywhere(port) in values["networkPolicy"]["egressTo"]
