"""Exceptions from policies, and the command that holds a preview against them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from infra.config.policy_sections import PolicyException
from infra.policy.check import RULES, check
from infra.policy.rule import Context
from tests.contract.chart import helm
from tests.infra.engine import ROOT
from tests.infra.policy.test_rules import cluster

TODAY = date(2030, 5, 17)
PRODUCTION = Context(production=True, budget=100)
REASON = "The bucket comes with the next account."


def exception(rule: str = "backups", resource: str = "db", until: date = TODAY) -> PolicyException:
    return PolicyException(rule=rule, resource=resource, reason=REASON, until=until)


def test_an_exception_lets_its_resource_pass_until_its_last_day() -> None:
    result = check([cluster()], PRODUCTION, [exception()], TODAY)
    assert result.passed
    assert [by.reason for _, by in result.excepted] == [REASON]
    after = check([cluster()], PRODUCTION, [exception()], TODAY + timedelta(days=1))
    assert [violation.rule for violation in after.violations] == ["backups"]
    assert "ended on 2030-05-17" in after.problems[0]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (exception(rule="backup"), "there is no such rule; rules are restricted-pods"),
        (exception(resource="other"), "the rule does not stop that resource: take it away"),
    ],
)
def test_an_exception_that_lets_nothing_pass_is_a_problem(given: PolicyException, said: str) -> None:
    result = check([cluster()], PRODUCTION, [given], TODAY)
    assert not result.passed
    assert said in result.problems[0]
    assert len(result.violations) == 1


def test_an_exception_of_one_resource_leaves_another_stopped() -> None:
    other = cluster()
    object.__setattr__(other, "name", "other")
    result = check([cluster(), other], PRODUCTION, [exception()], TODAY)
    assert [violation.resource for violation in result.violations] == ["other"]


def preview_of(*resources: dict[str, Any]) -> str:
    steps = [{"op": "create", "urn": f"urn:pulumi:x::y::{each['type']}::z", "newState": each} for each in resources]
    return json.dumps({"steps": steps})


def run(stdin: str, stack: str = "phase1") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "infra.policy", "check", stack]
    path = {"PATH": f"{Path(helm()).parent}:{os.environ['PATH']}"}
    return subprocess.run(
        command, cwd=ROOT, input=stdin, capture_output=True, text=True, check=False, env={**os.environ, **path}
    )


def state(kind: str, **inputs: Any) -> dict[str, Any]:
    return {"type": kind, "custom": True, "protect": False, "inputs": inputs}


def test_a_preview_that_breaks_a_rule_fails_with_a_line_that_names_the_resource() -> None:
    spec = {"type": "LoadBalancer", "selector": {"app.kubernetes.io/component": "database"}}
    done = run(preview_of(state("kubernetes:core/v1:Service", metadata={"name": "open"}, spec=spec)))
    assert done.returncode == 1
    assert done.stdout == "private-data: open: a LoadBalancer leads to database: make it a ClusterIP\n"
    assert done.stderr.startswith("policies: 1 to mend before phase1 is deployed")


def test_what_an_update_takes_away_is_not_held_against_the_rules() -> None:
    gone = json.loads(preview_of(state("kubernetes:core/v1:Service", metadata={"name": "open"}, spec={})))
    gone["steps"][0]["op"] = "delete"
    assert run(json.dumps(gone)).returncode == 0


def test_a_preview_that_keeps_every_rule_passes() -> None:
    done = run(preview_of())
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"policies: phase1 keeps {len(RULES)} rules, 0 exceptions\n"


@pytest.mark.parametrize(
    ("stdin", "stack", "said"),
    [
        ("", "phase1", "policies: no preview of phase1 came by standard input"),
        (preview_of(), "nowhere", "there is no Pulumi.nowhere.yaml"),
        (
            preview_of(state("kubernetes:helm.sh/v3:Release", name="x", chart="../helm/none", values={})),
            "phase1",
            "policies: Helm does not render x",
        ),
    ],
)
def test_what_cannot_be_checked_is_one_line_and_a_failure(stdin: str, stack: str, said: str) -> None:
    done = run(stdin, stack)
    assert done.returncode == 1
    assert done.stderr.startswith(said)
    assert "Traceback" not in done.stderr
