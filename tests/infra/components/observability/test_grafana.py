"""Grafana: who gets in, whom it asks, and that it shows the dashboards that are committed.

Its server does not run in any test: it is in no package registry. What it reads is checked here as documents.
"""

from __future__ import annotations

import configparser
import json
from importlib import metadata
from typing import Any

import pytest
import yaml

from infra import names
from infra.components.observability import grafana
from tests.infra import engine
from tests.infra.engine import Stack


@pytest.fixture
def stack(variants: dict[str, Stack]) -> Stack:
    """Phase 3 with Grafana, which the example stack does without."""
    return variants["phase3-grafana"]


def template(stack: Stack) -> dict[str, Any]:
    found: dict[str, Any] = stack.find("StatefulSet", names.GRAFANA).inputs["spec"]["template"]
    return found


def test_it_finds_its_files_where_its_settings_say(stack: Stack) -> None:
    spec = template(stack)["spec"]
    [container] = spec["containers"]
    [volume] = [volume["configMap"] for volume in spec["volumes"] if volume["name"] == "config"]
    [folder] = [mount["mountPath"] for mount in container["volumeMounts"] if mount["name"] == "config"]
    data = stack.find("ConfigMap", names.GRAFANA).inputs["data"]
    there = {f"{folder}/{item['path']}": data[item["key"]] for item in volume["items"]}
    assert len(there) == len(data)
    ini = configparser.ConfigParser(interpolation=None)
    ini.read_string(there["/etc/grafana/grafana.ini"])
    assert "--config=/etc/grafana/grafana.ini" in container["args"]
    assert ini["dashboards"]["default_home_dashboard_path"] in there
    provisioning = ini["paths"]["provisioning"]
    [provider] = yaml.safe_load(there[f"{provisioning}/dashboards/files.yaml"])["providers"]
    shown = {path for path in there if path.startswith(f"{provider['options']['path']}/")}
    assert len(shown) == len(list(grafana.DASHBOARDS.glob("*.json")))
    assert all(json.loads(there[path])["panels"] for path in shown)


def test_nobody_gets_in_without_a_password_that_is_made_in_the_cluster(stack: Stack) -> None:
    settings = grafana.settings()
    assert settings["auth.anonymous"]["enabled"] == "false"
    assert settings["users"]["allow_sign_up"] == "false"
    [volume] = [volume["secret"] for volume in template(stack)["spec"]["volumes"] if "secret" in volume]
    assert (volume["secretName"], volume["optional"]) == (names.GRAFANA, False)
    assert settings["security"]["admin_password"] == "$__file{/run/secrets/grafana/password}"
    assert settings["security"]["secret_key"] == "$__file{/run/secrets/grafana/secret-key}"
    maker = stack.find("Job", names.SECRET_MAKER).inputs["spec"]["template"]["spec"]["containers"]
    [arguments] = [container["args"] for container in maker if container["name"] == names.GRAFANA]
    assert [arguments[place + 1] for place, word in enumerate(arguments) if word == "--key"] == [
        "password",
        "secret-key",
    ]


def test_it_asks_the_stacks_own_prometheus(stack: Stack) -> None:
    [source] = grafana.datasources()["datasources"]
    service = stack.find("Service", names.PROMETHEUS)
    assert source["url"] == f"http://{service.object_name}:{service.inputs['spec']['ports'][0]['port']:g}"
    assert source["isDefault"]


def test_changed_dashboards_change_the_pod(monkeypatch: pytest.MonkeyPatch, stack: Stack, tmp_path: Any) -> None:
    monkeypatch.setattr(grafana, "DASHBOARDS", tmp_path)
    assert template(engine.run({**engine.stack_file("phase3"), "task-manager:grafana": "true"})) != template(stack)


def test_the_image_is_of_the_version_whose_schema_the_dashboards_have() -> None:
    assert grafana.IMAGE.rpartition(":")[2] == metadata.version("grafana-foundation-sdk").rpartition("!")[2]


def test_a_stack_can_do_without(stack: Stack, phase3: Stack, phase2: Stack) -> None:
    assert stack.outputs["reach"]["dashboards"].endswith("3000")
    for without in (phase2, phase3):
        assert names.GRAFANA not in {resource.object_name for resource in without.objects}
        assert "dashboards" not in without.outputs["reach"]
