"""Policies held against what the platform's program registers."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from infra.policy.check import check
from infra.policy.resource import Resource
from infra.policy.rule import Context
from tests.platform.engine import Platform


@pytest.mark.parametrize("name", ["aws", "digitalocean", "vps"])
def test_each_platform_keeps_every_rule(name: str, request: pytest.FixtureRequest) -> None:
    platform: Platform = request.getfixturevalue(name)
    resources = [
        Resource(
            each.type, (each.inputs.get("metadata") or {}).get("name") or each.name, each.inputs, each.protect, each.urn
        )
        for each in platform.resources
    ]
    result = check(resources, Context(production=True, budget=1), (), datetime.now(UTC).date())
    assert [str(each) for each in result.violations] == []


@pytest.mark.parametrize(
    ("kind", "rule"),
    [
        ("BucketPublicAccessBlock", "private-data"),
        ("BucketServerSideEncryptionConfiguration", "encryption"),
    ],
)
def test_a_platform_without_what_keeps_its_bucket_safe_is_stopped(aws: Platform, kind: str, rule: str) -> None:
    resources = [
        Resource(each.type, each.name, each.inputs, each.protect)
        for each in aws.resources
        if not each.type.endswith(f":{kind}")
    ]
    result = check(resources, Context(production=True, budget=1), (), datetime.now(UTC).date())
    assert rule in [each.rule for each in result.violations]
