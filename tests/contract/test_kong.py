"""Kong: its objects fit Kong's schemas, and routes name what it can do, agreeing with the API."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest
import yaml

from infra import names
from infra.components.edge import kong
from infra.components.edge.public_paths import PUBLIC_PATHS
from tests.contract.chart import Manifest, manifests, one, render
from tests.contract.kong_plugins import CONFIGURATIONS
from tests.contract.routes import operations, precedence, takes
from tests.infra import engine
from tests.infra.schemas import strict
from tests.infra.variants import VARIANTS

SERVICES = ("auth", "tasks", "notifications", "analytics")
OF_KONG = (kong.PLUGINS_API, kong.POLICIES_API)
CRDS = os.environ.get("KONG_CRDS", "")


@pytest.fixture(scope="module", params=["phase2-kong", "phase4-kong"])
def stack(request: pytest.FixtureRequest) -> engine.Stack:
    variant = VARIANTS[request.param]
    return engine.run(variant.config, variant.stack)


@pytest.fixture(scope="module")
def objects(stack: engine.Stack) -> list[dict[str, Any]]:
    """Kong's own."""
    return [each.inputs for each in stack.objects if each.inputs.get("apiVersion") in OF_KONG]


@pytest.fixture(scope="module")
def charts(stack: engine.Stack) -> dict[str, list[Manifest]]:
    """The objects of each release."""
    return {
        each.inputs["values"]["apiService"]: manifests(render(each.inputs["values"], each.namespace))
        for each in stack.releases
    }


@pytest.fixture(scope="module")
def rules(charts: dict[str, list[Manifest]]) -> list[Manifest]:
    """The rules of all routes."""
    return [rule for chart in charts.values() for rule in one(chart, "HTTPRoute")["spec"]["rules"]]


def plugins(rule: Manifest) -> set[str]:
    """The KongPlugins that a rule names."""
    return {each["extensionRef"]["name"] for each in rule.get("filters", [])}


# --- schemas


@pytest.mark.skipif(not CRDS, reason="KONG_CRDS names no folder: that of config/crd in Kong/kubernetes-configuration")
def test_every_object_of_kongs_fits_its_crd(objects: list[dict[str, Any]]) -> None:
    schemas = {
        (crd["spec"]["names"]["kind"], f"{crd['spec']['group']}/{version['name']}"): version["schema"]
        for path in Path(CRDS).rglob(f"{kong.GROUP}_*.yaml")
        for crd in yaml.safe_load_all(path.read_text())
        if crd
        for version in crd["spec"]["versions"]
    }
    assert objects
    for each in objects:
        jsonschema.validate(each, strict(schemas[each["kind"], each["apiVersion"]]["openAPIV3Schema"]))


def test_every_plugin_is_configured_as_its_schema_says(objects: list[dict[str, Any]]) -> None:
    configured = [each for each in objects if each["kind"] == "KongPlugin"]
    assert configured
    for each in configured:
        assert set(each) == {"apiVersion", "kind", "metadata", "plugin", "config"}
        jsonschema.validate(each["config"], CONFIGURATIONS[each["plugin"]])


# --- what its controller takes


def test_routes_name_the_plugins_that_are_there(rules: list[Manifest], objects: list[dict[str, Any]]) -> None:
    for rule in rules:
        for each in rule["filters"]:
            assert (each["type"], each["extensionRef"]["group"]) == ("ExtensionRef", kong.GROUP)
            assert each["extensionRef"]["kind"] == "KongPlugin"
    there = {each["metadata"]["name"] for each in objects if each["kind"] == "KongPlugin"}
    assert set().union(*map(plugins, rules)) == there


def test_a_rule_has_plugins_of_a_kind_once(rules: list[Manifest], objects: list[dict[str, Any]]) -> None:
    kinds = {each["metadata"]["name"]: each["plugin"] for each in objects if each["kind"] == "KongPlugin"}
    for rule in rules:
        named = [kinds[each] for each in plugins(rule)]
        assert len(named) == len(set(named)) == len(rule["filters"])


def test_routes_lead_to_services_and_set_no_times(rules: list[Manifest]) -> None:
    """Its controller refuses other backends, and time-outs that are not the same in all rules."""
    for rule in rules:
        assert {(each["group"], each["kind"]) for each in rule["backendRefs"]} == {("", "Service")}
        assert "timeouts" not in rule
        assert rule["matches"], "without any, a rule takes every path"


def test_services_name_the_policy_of_theirs(charts: dict[str, list[Manifest]], objects: list[dict[str, Any]]) -> None:
    policies = {each["metadata"]["name"] for each in objects if each["kind"] == "KongUpstreamPolicy"}
    for service, chart in charts.items():
        service_object = next(each for each in chart if each["kind"] == "Service")
        annotations = service_object["metadata"]["annotations"]
        assert annotations["konghq.com/upstream-policy"] == names.ServiceNames(service).release
        assert annotations["konghq.com/upstream-policy"] in policies
        numbers = [value for key, value in annotations.items() if key != "konghq.com/upstream-policy"]
        assert all(value.isdecimal() for value in numbers), "its controller passes over what is no number"


@pytest.mark.parametrize("stack", ["phase4-kong"], indirect=True)
def test_routes_bear_the_annotations_of_the_program(charts: dict[str, list[Manifest]]) -> None:
    for chart in charts.values():
        assert one(chart, "HTTPRoute")["metadata"]["annotations"] == {"konghq.com/https-redirect-status-code": "301"}


# --- the API


def rule_of(rules: list[Manifest], method: str, path: str, content_type: str) -> Manifest:
    """The rule that takes a request without a query."""
    fits = [
        (precedence(match), -place, rule)
        for place, rule in enumerate(rules)
        for match in rule["matches"]
        if "queryParams" not in match and takes(match, method, path, content_type)
    ]
    return max(fits, key=lambda fit: fit[:2])[2]


def content_type(operation: Manifest) -> str:
    [found] = (operation.get("requestBody") or {"content": {"application/json": {}}})["content"]
    return str(found)


@pytest.mark.parametrize("stack", ["phase4-kong"], indirect=True)
@pytest.mark.parametrize("service", SERVICES)
def test_a_token_is_asked_for_where_the_api_does(rules: list[Manifest], service: str) -> None:
    for method, path, operation in operations(service):
        rule = rule_of(rules, method, path, content_type(operation))
        asked, needed = kong.TOKEN in plugins(rule), "security" in operation
        # Files have rules of their own, where the services ask alone.
        assert asked is (needed and "name" not in rule), f"{method} {path}"


@pytest.mark.parametrize("stack", ["phase4-kong"], indirect=True)
def test_public_paths_lead_where_they_do_without_a_check(stack: engine.Stack, rules: list[Manifest]) -> None:
    unchecked = [rule for each in stack.releases for rule in rules_without_check(each.inputs["values"])]
    for public in PUBLIC_PATHS:
        path = public.replace("*", "x")
        found, wanted = (rule_of(either, "GET", path, "")["backendRefs"] for either in (rules, unchecked))
        assert found == wanted, path


def rules_without_check(values: dict[str, Any]) -> list[Manifest]:
    route = {key: value for key, value in values["route"].items() if key not in ("tokenFilters", "publicPaths")}
    found: list[Manifest] = one(manifests(render({**values, "route": route})), "HTTPRoute")["spec"]["rules"]
    return found


@pytest.mark.parametrize("stack", ["phase4-kong"], indirect=True)
def test_the_front_end_and_keys_need_no_token(rules: list[Manifest]) -> None:
    for path in ("/", "/static/app.js", "/favicon.ico", "/health/ready", names.KEYS_PATH, "/api/v1/docs"):
        assert kong.TOKEN not in plugins(rule_of(rules, "GET", path, "")), path
    for path in ("/api/v1/unheard-of", "/api/v2/tasks"):
        assert kong.TOKEN in plugins(rule_of(rules, "GET", path, "")), path


@pytest.mark.parametrize("stack", ["phase4-kong"], indirect=True)
@pytest.mark.parametrize("service", SERVICES)
def test_bodies_are_limited_but_for_uploads(rules: list[Manifest], service: str) -> None:
    for method, path, operation in operations(service):
        if method == "GET":
            continue
        limited = kong.BODY_LIMIT in plugins(rule_of(rules, method, path, content_type(operation)))
        assert limited is (content_type(operation) != "multipart/form-data"), f"{method} {path}"


def test_every_rule_limits_addresses_and_knows_requests_again(rules: list[Manifest]) -> None:
    for rule in rules:
        assert {kong.RATE_LIMIT, kong.REQUEST_ID} <= plugins(rule)


@pytest.mark.parametrize("stack", ["phase4-kong"], indirect=True)
def test_varnish_gets_public_paths_alone(rules: list[Manifest]) -> None:
    to_edge = [rule for rule in rules if rule["backendRefs"][0]["name"] == names.EDGE]
    assert len(to_edge) == 1
    assert kong.TOKEN not in plugins(to_edge[0])
