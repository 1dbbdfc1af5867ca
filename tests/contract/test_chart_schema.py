"""Rendered objects against the schemas of Kubernetes, unknown fields included."""

from __future__ import annotations

import kubernetes_validate  # type: ignore[import-untyped]
import pytest

from tests.contract.chart import STACKS, objects

KUBERNETES = "1.34"
# Defined by the Gateway API's own CRD, which the end-to-end tests install the route against.
ELSEWHERE = {"HTTPRoute"}


@pytest.mark.parametrize("stack", STACKS)
def test_kubernetes_knows_every_field(stack: str) -> None:
    checked = [manifest for manifest in objects(stack) if manifest["kind"] not in ELSEWHERE]
    assert len(checked) >= 9
    for manifest in checked:
        kubernetes_validate.validate(manifest, KUBERNETES, strict=True)
