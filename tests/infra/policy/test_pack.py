"""The policy pack, before a stand-in of Pulumi's library: which rules it has, and what it reports."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from infra.policy.check import RULES
from tests.infra.engine import ROOT

PACK = ROOT / "infra" / "policy" / "pack"


@pytest.fixture
def policies(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The pack's policies by name."""
    library, made = ModuleType("pulumi_policy"), dict[str, Any]()

    def pack(*, policies: list[Any], **_: Any) -> None:
        made.update({each.name: each for each in policies})

    for name, value in {
        "EnforcementLevel": SimpleNamespace(MANDATORY="mandatory"),
        "PolicyPack": pack,
        "ReportViolation": object,
        "StackValidationArgs": object,
        "StackValidationPolicy": lambda **given: SimpleNamespace(**given),
    }.items():
        setattr(library, name, value)
    monkeypatch.setitem(sys.modules, "pulumi_policy", library)
    monkeypatch.setattr(sys, "path", list(sys.path))
    runpy.run_path(str(PACK), run_name="__main__")
    return made


def test_it_has_every_rule_that_needs_no_stacks_file(policies: dict[str, Any]) -> None:
    assert set(policies) == {rule.name for rule in RULES if not rule.production}


def test_it_reports_a_resource_with_its_urn(policies: dict[str, Any]) -> None:
    service = SimpleNamespace(
        resource_type="kubernetes:core/v1:Service",
        name="open",
        urn="urn:open",
        opts=SimpleNamespace(protect=False),
        props={"spec": {"type": "LoadBalancer", "selector": {"app.kubernetes.io/component": "database"}}},
    )
    said: list[tuple[str, str | None]] = []
    for policy in policies.values():
        policy.validate(SimpleNamespace(resources=[service]), lambda text, urn: said.append((text, urn)))
    assert said == [("private-data: open: a LoadBalancer leads to database: make it a ClusterIP", "urn:open")]


def test_its_environment_is_the_one_that_the_make_target_makes() -> None:
    described = (PACK / "PulumiPolicy.yaml").read_text()
    [line] = [line for line in described.splitlines() if "virtualenv:" in line]
    assert (PACK / line.split()[1]).resolve() == ROOT / ".venv" / "policy-pack"
    assert "$(VENV)/policy-pack/.ready: requirements/policy-pack.txt" in Path(ROOT / "Makefile").read_text()
