"""Policies held against what the program registers."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from infra.policy.__main__ import PAGE, page
from infra.policy.check import check
from infra.policy.resource import pods
from infra.policy.rule import Context
from tests.infra import engine
from tests.infra.registered import resources_of
from tests.infra.variants import VARIANTS

NAMES = [name for name, variant in VARIANTS.items() if not variant.base]
NAMES += ["phase1-gateway", "phase2-kong", "phase3-cloudflare-guest", "phase3-logs-operator", "phase4-mesh-namespace"]
"""Each phase, and the variants with pods or namespaces that no phase has by itself."""

EXAMPLES = {"digests", "backups", "protection"}
"""Rules for production that the examples of a local cluster break: a tag of theirs, no bucket, no protection."""


@pytest.mark.parametrize("name", NAMES)
def test_each_phase_of_the_program_keeps_every_rule(name: str) -> None:
    found = list(resources_of(engine.run(VARIANTS[name].config, deployed=VARIANTS[name].deployed)))
    assert len(list(pods(found))) > 1, "those of the charts too"
    result = check(found, Context(production=True, budget=1), (), datetime.now(UTC).date())
    assert [str(each) for each in result.violations if each.rule not in EXAMPLES] == []


@pytest.mark.parametrize("name", ["staging", "prod"])
def test_a_stack_of_production_keeps_the_rules_for_production_too(name: str) -> None:
    bucket = {
        "task-manager:backups.bucket": "task-manager-backups",
        "task-manager:image": f"ghcr.io/somebody/task-manager@sha256:{'0a' * 32}",
    }
    found = list(resources_of(engine.run({**engine.stack_file(name), **bucket}, name)))
    result = check(found, Context(production=True, budget=1), (), datetime.now(UTC).date())
    assert [str(each) for each in result.violations] == []


def test_the_page_of_the_rules_is_current() -> None:
    assert page() == Path(PAGE).read_text()
