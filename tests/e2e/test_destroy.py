"""`pulumi destroy` leaves nothing but what is protected."""

from __future__ import annotations

import pytest

from tests.e2e.system import System, kubectl, wait_for

pytestmark = pytest.mark.last


def test_destroy_leaves_nothing(system: System) -> None:
    said = system.pulumi("destroy", "--yes").ok()
    assert "error" not in said
    assert system.pulumi("stack", "export").ok().count('"urn"') <= 1  # the stack itself
    namespace = ("get", "namespace", system.namespace, "--ignore-not-found", "--output", "name")
    wait_for("the namespace is gone", lambda: not kubectl(*namespace).ok().strip(), seconds=120)
    claims = ("get", "persistentvolumes", "--output", "jsonpath={.items[*].spec.claimRef.namespace}")
    wait_for("its volumes are gone", lambda: system.namespace not in kubectl(*claims).ok().split(), seconds=60)
