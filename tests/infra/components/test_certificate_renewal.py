"""The self-signed certificate is renewed by time, by a pod that may do nothing else."""

import pytest

from infra import names
from tests.infra import engine
from tests.infra.engine import Stack

RENEWED = ["phase2", "phase3", "phase3-operator", "phase2-tls-only"]


@pytest.mark.parametrize("variant", RENEWED)
def test_each_day_the_command_that_made_the_certificate_runs_again(variants: dict[str, Stack], variant: str) -> None:
    stack = variants[variant]
    cron = stack.find("CronJob", names.CERTIFICATE_RENEWAL).inputs["spec"]
    minute, hour, *days = cron["schedule"].split()
    assert minute.isdigit()
    assert hour.isdigit()
    assert days == ["*", "*", "*"]
    [renews] = cron["jobTemplate"]["spec"]["template"]["spec"]["containers"]
    makers = stack.find("Job", names.SECRET_MAKER).inputs["spec"]["template"]["spec"]["containers"]
    [made] = [container for container in makers if container["name"] == names.TLS_SECRET]
    assert renews == made
    assert "ensure-certificate" in renews["args"]


@pytest.mark.parametrize("variant", RENEWED)
def test_it_may_read_and_change_that_one_secret_and_nothing_else(variants: dict[str, Stack], variant: str) -> None:
    stack = variants[variant]
    [rule] = stack.find("Role", names.CERTIFICATE_RENEWAL).inputs["rules"]
    assert (rule["resources"], rule["resourceNames"]) == (["secrets"], [names.TLS_SECRET])
    assert set(rule["verbs"]) == {"get", "patch"}
    binding = stack.find("RoleBinding", names.CERTIFICATE_RENEWAL).inputs
    assert binding["roleRef"]["name"] == names.CERTIFICATE_RENEWAL
    [subject] = binding["subjects"]
    job = stack.find("CronJob", names.CERTIFICATE_RENEWAL).inputs["spec"]["jobTemplate"]["spec"]
    account = job["template"]["spec"]["serviceAccountName"]
    assert account == subject["name"] == names.CERTIFICATE_RENEWAL


def test_its_pods_are_let_out_to_the_api_server(phase2: Stack) -> None:
    policy = phase2.find("NetworkPolicy", names.CERTIFICATE_RENEWAL).inputs["spec"]
    template = phase2.find("CronJob", names.CERTIFICATE_RENEWAL).inputs["spec"]["jobTemplate"]["spec"]["template"]
    assert policy["podSelector"]["matchLabels"].items() <= template["metadata"]["labels"].items()
    [rule] = policy["egress"]
    assert 443 in [port["port"] for port in rule["ports"]]


def test_a_run_that_hangs_or_fails_ends_and_can_be_read(phase2: Stack) -> None:
    cron = phase2.find("CronJob", names.CERTIFICATE_RENEWAL).inputs["spec"]
    assert cron["concurrencyPolicy"] == "Forbid"
    assert cron["jobTemplate"]["spec"]["activeDeadlineSeconds"] < 86400
    assert cron["failedJobsHistoryLimit"] > 0


def test_what_somebody_else_provides_is_not_renewed_here(phase1: Stack) -> None:
    provided = engine.run({**engine.stack_file("phase2"), "task-manager:gateway.certificate": "provided"}, "phase2")
    assert not provided.has("CronJob")
    assert not phase1.has("CronJob"), "phase 1 has no TLS"
