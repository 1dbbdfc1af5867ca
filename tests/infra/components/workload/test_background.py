"""Background work and mail: who does it in which phase, and whom it may reach."""

from tests.infra import engine
from tests.infra.addresses import OUTSIDE
from tests.infra.engine import Stack

MAIL = {
    "task-manager:mail.host": "mail.example.com",
    "task-manager:mail.port": "2525",
    "task-manager:mail.user": "tasks",
    "task-manager:mail.sender": "tasks@example.com",
}
TO_MAIL = {
    "to": OUTSIDE,
    "ports": [{"port": 2525, "protocol": "TCP"}],
}


def test_phase_1_does_its_jobs_in_the_one_pod(phase1: Stack) -> None:
    assert phase1.values["jobs"] == {"enabled": False}


def test_phase_2_has_one_or_two_workers_that_share_the_broker_with_the_cache(phase2: Stack) -> None:
    jobs = phase2.values["jobs"]
    assert jobs["enabled"] is True
    assert jobs["worker"]["autoscaling"] == {"minReplicas": 1, "maxReplicas": 2}
    assert phase2.values["env"]["APP_REDIS_HOST"] == "task-manager-cache"


def test_workers_and_beat_have_sizes_of_their_own(phase2: Stack) -> None:
    jobs = phase2.values["jobs"]
    for part in ("worker", "beat"):
        for side in ("requests", "limits"):
            assert {"cpu", "memory"} <= jobs[part]["resources"][side].keys()


def test_without_a_mail_server_no_pod_may_leave_the_cluster(phase1: Stack, phase2: Stack) -> None:
    assert not any(name.startswith("APP_SMTP") for stack in (phase1, phase2) for name in stack.values["env"])
    assert "egressTo" not in phase2.values["jobs"]["worker"]
    rules = phase1.values["networkPolicy"]["egressTo"] + phase2.values["networkPolicy"]["egressTo"]
    assert not any("ipBlock" in peer for rule in rules for peer in rule["to"])


def test_a_mail_server_is_reached_by_who_does_the_jobs_and_by_nobody_else() -> None:
    alone = engine.run({**engine.stack_file("phase1"), **MAIL}).values
    assert TO_MAIL in alone["networkPolicy"]["egressTo"]
    apart = engine.run({**engine.stack_file("phase2"), **MAIL}).values
    assert apart["jobs"]["worker"]["egressTo"] == [TO_MAIL]
    assert TO_MAIL not in apart["networkPolicy"]["egressTo"]


def test_the_mail_server_is_told_in_plain_and_its_password_by_name() -> None:
    values = engine.run({**engine.stack_file("phase1"), **MAIL}).values
    told = {name: value for name, value in values["env"].items() if name.startswith(("APP_SMTP", "APP_MAIL"))}
    assert told == {
        "APP_SMTP_HOST": "mail.example.com",
        "APP_SMTP_PORT": "2525",
        "APP_SMTP_USER": "tasks",
        "APP_SMTP_TLS": "starttls",
        "APP_MAIL_FROM": "tasks@example.com",
    }
    assert values["env"]["APP_PUBLIC_URL"] == "http://127.0.0.1:30080"
    [password] = [variable for variable in values["envFromSecrets"] if variable["name"] == "APP_SMTP_PASSWORD"]
    assert password == {"name": "APP_SMTP_PASSWORD", "secret": "task-manager-mail", "key": "password"}


def test_a_mail_server_without_log_in_needs_no_password() -> None:
    without = {key: value for key, value in MAIL.items() if key != "task-manager:mail.user"}
    values = engine.run({**engine.stack_file("phase1"), **without}).values
    assert "APP_SMTP_USER" not in values["env"]
    assert "APP_SMTP_PASSWORD" not in {variable["name"] for variable in values["envFromSecrets"]}
