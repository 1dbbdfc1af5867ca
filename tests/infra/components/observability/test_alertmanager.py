"""Alertmanager: who is told of what, how soon, and that the address to tell is nobody's business."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pulumi
import pytest
import yaml

from infra import names
from infra.components.observability import alertmanager
from infra.config.settings import load_settings
from local.tools import go_tools as tools
from monitoring import catalogue
from tests.infra import engine
from tests.infra.engine import Stack

MAIL = {
    "mail.host": "mail.example.com",
    "mail.user": "tasks",
    "mail.sender": "tasks@example.com",
    "alerts.email": "team@example.com",
}
SETTINGS: dict[str, dict[str, str]] = {
    "webhook": {},
    "everything": {
        **MAIL,
        "alerts.page": "pagerduty,slack,email,webhook",
        "alerts.ticket": "slack,email",
        "alerts.watchdog": "true",
    },
    "mail without a log-in, TLS from the first byte": {
        **MAIL,
        "mail.user": "",
        "mail.port": "465",
        "mail.tls": "implicit",
        "alerts.ticket": "email",
    },
}


def run(settings: dict[str, str]) -> Stack:
    """Phase 2 with settings."""
    return engine.run(
        {**engine.stack_file("phase2"), **{f"task-manager:{key}": value for key, value in settings.items()}}
    )


@pytest.fixture(scope="module")
def stacks() -> dict[str, Stack]:
    return {name: run(settings) for name, settings in SETTINGS.items()}


@pytest.fixture
def everything(stacks: dict[str, Stack]) -> Stack:
    """A stack with each receiver."""
    return stacks["everything"]


def document(stack: Stack) -> dict[str, Any]:
    """The configuration as the server finds it."""
    text = stack.find("ConfigMap", names.ALERTMANAGER).inputs["data"]["alertmanager.yaml"]
    found: dict[str, Any] = yaml.safe_load(text)
    return found


@pytest.fixture
def config(everything: Stack, tmp_path: Path) -> Path:
    """Its file."""
    path = tmp_path / "alertmanager.yaml"
    path.write_text(yaml.safe_dump(document(everything)))
    return path


def amtool(*arguments: str | Path) -> str:
    """Return what amtool says; fail when it finds anything wrong."""
    program = tools.build("alertmanager") / "amtool"
    done = subprocess.run([program, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("name", SETTINGS)
def test_the_server_takes_its_configuration(stacks: dict[str, Stack], tmp_path: Path, name: str) -> None:
    path = tmp_path / "alertmanager.yaml"
    path.write_text(yaml.safe_dump(document(stacks[name])))
    amtool("check-config", path)


@pytest.mark.parametrize(
    ("labels", "receiver"),
    [
        (("severity=page", "alertname=ApiGone"), "page"),
        (("severity=ticket", "alertname=TargetDown"), "ticket"),
        (("severity=none", f"alertname={catalogue.WATCHDOG}"), "watchdog"),
    ],
)
def test_every_severity_has_its_receivers_and_the_watchdog_its_own(
    config: Path, labels: tuple[str, ...], receiver: str
) -> None:
    assert amtool("config", "routes", "test", f"--config.file={config}", *labels).strip() == receiver


def receivers(stack: Stack) -> dict[str, set[str]]:
    """What each receiver sends by."""
    return {each["name"]: each.keys() - {"name"} for each in document(stack)["receivers"]}


def test_who_is_told_is_what_the_settings_say(stacks: dict[str, Stack]) -> None:
    hook, slack, mail = "webhook_configs", "slack_configs", "email_configs"
    assert receivers(stacks["webhook"]) == {"page": {hook}, "ticket": {hook}, "watchdog": set()}
    assert receivers(stacks["everything"]) == {
        "page": {"pagerduty_configs", slack, mail, hook},
        "ticket": {slack, mail},
        "watchdog": {hook},
    }


def test_mails_are_always_encrypted_and_starttls_is_not_asked_for_where_tls_comes_first(
    stacks: dict[str, Stack],
) -> None:
    asked = {}
    for name in SETTINGS.keys() - {"webhook"}:
        [mail] = next(each["email_configs"] for each in document(stacks[name])["receivers"] if each["name"] == "ticket")
        asked[mail["smarthost"]] = mail["require_tls"]
    assert asked == {"mail.example.com:587": True, "mail.example.com:465": False}


def test_the_watchdog_calls_often_enough_to_be_missed_within_minutes(everything: Stack) -> None:
    [watchdog, _] = document(everything)["route"]["routes"]
    assert (watchdog["group_interval"], watchdog["repeat_interval"]) == ("1m", "50s")
    [receiver] = [each for each in document(everything)["receivers"] if each["name"] == "watchdog"]
    assert receiver["webhook_configs"] == [{"url_file": "/run/secrets/alerts/watchdog-url", "send_resolved": False}]


def test_a_page_goes_out_within_seconds_and_again_each_hour(everything: Stack) -> None:
    route = document(everything)["route"]
    [_, page] = route["routes"]
    assert page["matchers"] == ["severity=page"]
    assert (page["group_wait"], page["repeat_interval"]) == ("5s", "1h")
    assert route["repeat_interval"] == "24h"


def test_only_alerts_that_there_are_silence_each_other(everything: Stack) -> None:
    files = [yaml.safe_load(path.read_text()) for path in (engine.ROOT / "monitoring" / "rules").glob("*.yaml")]
    alerts = {rule.get("alert") for file in files for group in file["groups"] for rule in group["rules"]}
    for rule in document(everything)["inhibit_rules"]:
        for matcher in rule["source_matchers"] + rule["target_matchers"]:
            assert matcher.removeprefix("alertname=") in alerts


def folders(stack: Stack) -> dict[str, str]:
    """Where the server finds each Secret, which need not be there."""
    spec = stack.find("StatefulSet", names.ALERTMANAGER).inputs["spec"]["template"]["spec"]
    [container] = spec["containers"]
    mounts = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
    secrets = {volume["name"]: volume["secret"] for volume in spec["volumes"] if "secret" in volume}
    assert all(secret["optional"] for secret in secrets.values())
    return {secret["secretName"]: mounts[name] for name, secret in secrets.items()}


def files(value: Any) -> set[str]:
    """Every value of a key that ends in `_file`."""
    return {str(found) for path, found in engine.walk(value) if path.endswith("_file")}


def test_every_key_is_read_from_a_secret_when_it_is_needed(everything: Stack) -> None:
    where = folders(everything)
    alerts, mail = where["task-manager-alerts"], where["task-manager-mail"]
    keys = {f"{alerts}/{key}" for key in ("url", "slack-url", "pagerduty-key", "watchdog-url")}
    assert files(document(everything)) == {*keys, f"{mail}/password"}


def test_the_password_of_the_mail_server_is_there_only_where_it_is_used(stacks: dict[str, Stack]) -> None:
    for name in SETTINGS.keys() - {"everything"}:
        assert folders(stacks[name]).keys() == {"task-manager-alerts"}, name


@pytest.mark.parametrize(
    ("settings", "ports"),
    [
        ({"monitoring.alerts_port": "8443"}, [8443]),
        ({"alerts.page": "slack", "alerts.ticket": "pagerduty"}, [443]),
        ({"alerts.page": "slack", "alerts.ticket": "webhook", "monitoring.alerts_port": "8443"}, [443, 8443]),
        ({**MAIL, "mail.port": "2525", "alerts.page": "email", "alerts.ticket": "email"}, [2525]),
        ({"alerts.watchdog": "true", "alerts.watchdog_port": "9000"}, [443, 9000]),
    ],
)
def test_it_calls_the_ports_of_its_receivers_and_no_other(settings: dict[str, str], ports: list[int]) -> None:
    (rule,) = run(settings).find("NetworkPolicy", names.ALERTMANAGER).inputs["spec"]["egress"]
    assert [port["port"] for port in rule["ports"]] == ports


@pytest.mark.parametrize(
    ("settings", "line"),
    [
        ({"alerts.page": "sms"}, "task-manager:alerts.page: 'sms' is not one of 'webhook', 'slack', 'pagerduty' or"),
        ({"alerts.ticket": "email"}, "task-manager:alerts: email needs to know more: set alerts.email and mail.host"),
        ({"alerts.email": "team"}, "task-manager:alerts.email: 'team' are no recipients: write them as one@example"),
        (
            {**MAIL, "mail.tls": "implicit", "alerts.page": "email"},
            "task-manager:alerts: Alertmanager's mails begin with TLS at port 465, and there alone: set task-manager:m",
        ),
        (
            {"alerts.page": "slack", "monitoring.mode": "operator"},
            "task-manager:alerts: the stack has no Alertmanager of its own (the operator's are the cluster's): remove",
        ),
        (
            {"alerts.page": "slack", "phase": "1"},
            "task-manager:alerts: the stack has no Alertmanager of its own (phase 1 has no alerts): remove",
        ),
    ],
)
def test_receivers_that_cannot_be_are_one_line(settings: dict[str, str], line: str) -> None:
    config = {"phase": "2", "hostname": "tasks.example.com", **settings}
    with pytest.raises(pulumi.RunError) as refused:
        load_settings(engine.as_engine({f"task-manager:{key}": value for key, value in config.items()}))
    assert line in str(refused.value)
    assert "\n" not in str(refused.value)


def test_nobody_to_be_told_is_refused() -> None:
    config = {"task-manager:phase": "2", "task-manager:hostname": "a.example", "task-manager:alerts": '{"page": []}'}
    with pytest.raises(pulumi.RunError, match=r"task-manager:alerts\.page: nobody would be told: name at least one"):
        load_settings(config)


def test_the_image_is_of_the_version_that_tests_the_configuration() -> None:
    assert f"docker.io/prom/alertmanager:v{tools.ALERTMANAGER_VERSION}" == alertmanager.IMAGE
