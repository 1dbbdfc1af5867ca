"""SMS and bounces: who is told the provider, and who may reach it."""

from tests.infra import engine
from tests.infra.engine import Stack

SMS = {"task-manager:sms.provider": "twilio", "task-manager:sms.sender": "+15005550006"}
BOUNCES = {
    "task-manager:mail.host": "mail.example.com",
    "task-manager:mail.sender": "tasks@example.com",
    "task-manager:mail.ses_topic": "arn:aws:sns:eu-central-1:123456789012:bounces",
}
HTTPS = [{"port": 443, "protocol": "TCP"}]


def ports(rules: list[dict[str, object]]) -> bool:
    """Return whether HTTPS outside the cluster is among the rules."""
    return any(rule["ports"] == HTTPS and "ipBlock" in str(rule["to"]) for rule in rules)


def variables(stack: Stack) -> set[str]:
    return {variable["name"] for variable in stack.values["envFromSecrets"]}


def test_without_a_provider_nothing_is_told(phase2: Stack) -> None:
    assert not any(name.startswith("APP_SMS") for name in phase2.values["env"])
    assert not variables(phase2) & {"APP_SMS_SECRET", "APP_BOUNCE_PASSWORD"}


def test_the_provider_is_told_in_plain_and_its_keys_by_name() -> None:
    stack = engine.run({**engine.stack_file("phase2"), **SMS})
    env = stack.values["env"]
    told = (env["APP_SMS"], env["APP_SMS_SENDER"], env["APP_DAILY_SMS"], env["APP_SMS_COUNTRIES"])
    assert told == ("twilio", "+15005550006", "10", "")
    assert env["APP_PUBLIC_URL"].startswith("http")
    keys = [each for each in stack.values["envFromSecrets"] if each["secret"] == "task-manager-sms"]
    assert keys == [
        {"name": "APP_SMS_ACCOUNT", "secret": "task-manager-sms", "key": "account"},
        {"name": "APP_SMS_SECRET", "secret": "task-manager-sms", "key": "secret"},
    ]


def test_a_provider_is_reached_by_who_does_the_jobs() -> None:
    alone = engine.run({**engine.stack_file("phase1"), **SMS}).values
    assert ports(alone["networkPolicy"]["egressTo"])
    apart = engine.run({**engine.stack_file("phase2"), **SMS}).values
    assert ports(apart["jobs"]["worker"]["egressTo"])
    assert not ports(apart["networkPolicy"]["egressTo"])


def test_the_certificates_of_bounces_are_reached_by_servers() -> None:
    stack = engine.run({**engine.stack_file("phase2"), **BOUNCES})
    assert stack.values["env"]["APP_SES_TOPIC"] == BOUNCES["task-manager:mail.ses_topic"]
    assert ports(stack.values["networkPolicy"]["egressTo"])
    assert not ports(stack.values["jobs"]["worker"]["egressTo"])
    [password] = [each for each in stack.values["envFromSecrets"] if each["name"] == "APP_BOUNCE_PASSWORD"]
    assert password["optional"]


def test_of_services_notifications_alone_has_a_provider() -> None:
    stack = engine.run({**engine.stack_file("phase4"), **SMS})
    values = [release.inputs["values"] for release in stack.releases]
    assert {each["apiService"] for each in values if "APP_SMS" in each["env"]} == {"notifications"}
    told = [variable["name"] for variable in stack.variables_from_secrets]
    assert told.count("APP_SMS_SECRET") == 1
