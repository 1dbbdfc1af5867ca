"""Alertmanager: who is told of what, how soon, and that the address to tell is nobody's business."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
import yaml

from infra import names
from infra.components.observability import alertmanager
from local import tools
from tests.infra import engine
from tests.infra.engine import Stack


@pytest.fixture
def config(phase3: Stack, tmp_path: Path) -> Path:
    """The configuration as the server finds it."""
    path = tmp_path / "alertmanager.yaml"
    path.write_text(phase3.find("ConfigMap", names.ALERTMANAGER).inputs["data"]["alertmanager.yaml"])
    return path


def amtool(*arguments: str | Path) -> str:
    """Return what amtool says; fail when it finds anything wrong."""
    program = tools.build("alertmanager") / "amtool"
    done = subprocess.run([program, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_server_takes_its_configuration(config: Path) -> None:
    amtool("check-config", config)


@pytest.mark.parametrize("severity", ["page", "ticket"])
def test_somebody_is_told_of_every_severity(config: Path, severity: str) -> None:
    said = amtool("config", "routes", "test", f"--config.file={config}", f"severity={severity}", "alertname=ApiGone")
    assert said.strip() == "team"


def test_a_page_goes_out_within_seconds_and_again_each_hour() -> None:
    route = alertmanager.configuration()["route"]
    [page] = route["routes"]
    assert page["matchers"] == ["severity=page"]
    assert (page["group_wait"], page["repeat_interval"]) == ("5s", "1h")
    assert route["repeat_interval"] == "24h"


def test_only_alerts_that_there_are_silence_each_other() -> None:
    files = [yaml.safe_load(path.read_text()) for path in (engine.ROOT / "monitoring" / "rules").glob("*.yaml")]
    alerts = {rule.get("alert") for file in files for group in file["groups"] for rule in group["rules"]}
    for rule in alertmanager.configuration()["inhibit_rules"]:
        for matcher in rule["source_matchers"] + rule["target_matchers"]:
            assert matcher.removeprefix("alertname=") in alerts


def test_the_address_is_read_from_a_secret_that_need_not_be_there(phase3: Stack) -> None:
    spec = phase3.find("StatefulSet", names.ALERTMANAGER).inputs["spec"]["template"]["spec"]
    [volume] = [volume["secret"] for volume in spec["volumes"] if "secret" in volume]
    assert (volume["secretName"], volume["optional"]) == ("task-manager-alerts", True)
    [container] = spec["containers"]
    [path] = [mount["mountPath"] for mount in container["volumeMounts"] if mount["name"] == "secret"]
    [receiver] = alertmanager.configuration()["receivers"]
    assert receiver["webhook_configs"] == [{"url_file": f"{path}/url"}]


def test_it_calls_the_port_that_the_stack_names_and_no_other() -> None:
    stack = engine.run({**engine.stack_file("phase3"), "task-manager:alerts_port": "8443"})
    (rule,) = stack.find("NetworkPolicy", names.ALERTMANAGER).inputs["spec"]["egress"]
    assert [port["port"] for port in rule["ports"]] == [8443]


def test_the_image_is_of_the_version_that_tests_the_configuration() -> None:
    assert f"docker.io/prom/alertmanager:v{tools.ALERTMANAGER_VERSION}" == alertmanager.IMAGE
