"""An object's annotations say what to wait for, and how long."""

import pytest

from local.plugins.kubernetes_provider.awaiters import jsonpath, wait_for_annotation
from local.plugins.kubernetes_provider.awaiters.wait import rule_for, seconds
from local.plugins.kubernetes_provider.errors import ProviderError
from local.plugins.kubernetes_provider.objects import Object
from tests.plugins.fakes import RecordedLookups


def cluster(**status: object) -> Object:
    """Make a custom resource."""
    return {"metadata": {"name": "db", "generation": 2}, "status": status}


def conditions(kind: str, status: str, **more: object) -> list[Object]:
    """Make a list of one condition."""
    return [{"type": kind, "status": status, **more}]


@pytest.mark.parametrize(
    ("expression", "live", "holds"),
    [
        ("condition=Ready", cluster(conditions=conditions("Ready", "True")), True),
        ("condition=Ready", cluster(conditions=conditions("Ready", "False")), False),
        ("condition=Ready", cluster(), False),
        ("condition=Ready=False", cluster(conditions=conditions("Ready", "False")), True),
        ("condition=Ready", cluster(conditions=conditions("Ready", "True", observedGeneration=1)), False),
        ("jsonpath={.status.phase}=Cluster in healthy state", cluster(phase="Cluster in healthy state"), True),
        ("jsonpath={.status.phase}=Running", cluster(phase="Pending"), False),
        ("jsonpath={.status.address}", cluster(address="x"), True),
        ("jsonpath={.status.address}", cluster(), False),
        ("jsonpath={.status.ready}=true", cluster(ready=True), True),
        ('["condition=Ready", "jsonpath={.status.n}=3"]', cluster(n=3, conditions=conditions("Ready", "True")), True),
        ('["condition=Ready", "jsonpath={.status.n}=3"]', cluster(n=2, conditions=conditions("Ready", "True")), False),
    ],
)
def test_what_the_annotation_names_is_waited_for(expression: str, live: Object, *, holds: bool) -> None:
    assert wait_for_annotation.rule(expression)(live, RecordedLookups()).done is holds


def test_a_condition_that_does_not_hold_is_reported_with_its_reason() -> None:
    live = cluster(conditions=conditions("Ready", "False", reason="ClusterIsNotReady", message="primary is starting"))
    readiness = wait_for_annotation.rule("condition=Ready")(live, RecordedLookups())
    assert readiness.message == "Waiting for condition=Ready"
    assert readiness.problems == ("condition Ready is False (ClusterIsNotReady: primary is starting)",)


@pytest.mark.parametrize("expression", ["ready", "condition=", "jsonpath={.a[}=1", "[not json"])
def test_an_annotation_that_is_not_understood_is_refused_before_anything_is_made(expression: str) -> None:
    with pytest.raises(ProviderError):
        wait_for_annotation.rule(expression)


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("{.a.b}", [1]),
        (".a.b", [1]),
        ("a.b", [1]),
        ("{$.a.b}", [1]),
        ("{.list[0].name}", ["x"]),
        ("{.list[-1].name}", ["y"]),
        ("{.list[*].name}", ["x", "y"]),
        ('{.list[?(@.name=="y")].value}', [2]),
        ("{['dotted.key']}", [3]),
        (r"{.dotted\.key}", [3]),
        ("{.missing.more}", []),
    ],
)
def test_the_paths_of_kubectl_lead_to_values(path: str, found: list[object]) -> None:
    document = {"a": {"b": 1}, "list": [{"name": "x", "value": 1}, {"name": "y", "value": 2}], "dotted.key": 3}
    assert jsonpath.find(path, document) == found


def with_annotations(kind: str = "Deployment", **annotations: str) -> Object:
    """Make an object with Pulumi's annotations."""
    written = {f"pulumi.com/{key}": value for key, value in annotations.items()}
    return {"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": "x", "annotations": written}}


def test_waiting_can_be_skipped() -> None:
    assert rule_for(with_annotations()) is not None
    assert rule_for(with_annotations(skipAwait="true")) is None
    assert rule_for({"apiVersion": "v1", "kind": "ConfigMap"}) is None


def test_the_annotation_goes_before_the_kinds_own_rule() -> None:
    rule = rule_for(with_annotations(waitFor="jsonpath={.status.x}=1"))
    assert rule is not None
    assert rule({"status": {"x": 1}}, RecordedLookups()).done


def test_the_resources_own_timeout_goes_before_the_annotation() -> None:
    assert seconds(with_annotations(timeoutSeconds="30"), 0) == 30
    assert seconds(with_annotations(timeoutSeconds="30"), 12) == 12
    assert seconds(with_annotations(), 0) == 600


def test_a_timeout_that_is_no_number_is_refused() -> None:
    with pytest.raises(ProviderError, match="takes a number of seconds"):
        seconds(with_annotations(timeoutSeconds="soon"), 0)
