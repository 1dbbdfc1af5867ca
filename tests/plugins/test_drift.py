"""A refresh sees what someone has changed, and nothing else."""

from local.plugins.kubernetes_provider.apply import leave_scaled_replicas, scaled_by_another
from local.plugins.kubernetes_provider.objects import Object
from local.plugins.kubernetes_provider.read import drifted, imported_inputs


def test_a_changed_value_is_drift() -> None:
    assert drifted({"a": 1, "b": 2}, {"a": 1, "b": 2}, {"a": 5, "b": 2}) == {"a": 5, "b": 2}


def test_what_the_server_writes_differently_is_no_drift() -> None:
    assert drifted({"cpu": "1000m"}, {"cpu": "1"}, {"cpu": "1"}) == {"cpu": "1000m"}


def test_what_the_server_never_kept_is_no_drift() -> None:
    assert drifted({"stringData": {"a": "b"}}, {}, {"data": {"a": "Yg=="}}) == {"stringData": {"a": "b"}}


def test_a_field_that_someone_removed_is_drift() -> None:
    assert drifted({"labels": {"a": "1", "b": "2"}}, {"labels": {"a": "1", "b": "2"}}, {"labels": {"a": "1"}}) == {
        "labels": {"a": "1"}
    }


def test_a_field_that_the_program_does_not_set_is_not_looked_at() -> None:
    assert drifted({"a": 1}, {"a": 1}, {"a": 1, "added": 2}) == {"a": 1}


def test_a_value_in_a_list_is_compared_in_its_place() -> None:
    inputs = {"containers": [{"name": "a", "image": "x:1"}]}
    before = {"containers": [{"name": "a", "image": "x:1", "pullPolicy": "IfNotPresent"}]}
    now = {"containers": [{"name": "a", "image": "x:2", "pullPolicy": "IfNotPresent"}]}
    assert drifted(inputs, before, now) == {"containers": [{"name": "a", "image": "x:2"}]}


def test_an_added_item_of_a_list_is_drift() -> None:
    assert drifted({"ports": [80]}, {"ports": [80]}, {"ports": [80, 81]}) == {"ports": [80, 81]}


def test_an_imported_object_leaves_out_what_the_server_fills_in() -> None:
    live = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "x", "uid": "1", "resourceVersion": "2", "managedFields": [], "labels": {"a": "b"}},
        "data": {"k": "v"},
        "status": {},
    }
    assert imported_inputs(live) == {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "x", "labels": {"a": "b"}},
        "data": {"k": "v"},
    }


def scaled(by: str, subresource: str = "scale") -> Object:
    """Make a Deployment whose replicas someone has set."""
    entry = {"manager": by, "subresource": subresource, "fieldsV1": {"f:spec": {"f:replicas": {}}}}
    return {"metadata": {"managedFields": [entry]}, "spec": {"replicas": 7}}


def test_replicas_are_left_to_the_autoscaler_while_the_program_asks_for_the_same() -> None:
    wanted: Object = {"spec": {"replicas": 2, "template": {}}}
    kept = leave_scaled_replicas(wanted, {"spec": {"replicas": 2}}, scaled("kube-controller-manager"), "ours")
    assert kept == {"spec": {"template": {}}}


def test_replicas_are_set_when_the_program_asks_for_a_new_number() -> None:
    wanted: Object = {"spec": {"replicas": 3}}
    old: Object = {"spec": {"replicas": 2}}
    assert leave_scaled_replicas(wanted, old, scaled("kube-controller-manager"), "ours") == wanted


def test_only_the_scale_of_another_counts() -> None:
    assert scaled_by_another(scaled("kube-controller-manager"), "ours")
    assert not scaled_by_another(scaled("ours"), "ours")
    assert not scaled_by_another(scaled("kubectl-edit", ""), "ours")
