"""Objects are made, changed, replaced, refreshed, imported and deleted on a real API server."""

from typing import Any

import pytest

from local.plugins.kubernetes_provider.client import MERGE_PATCH, Client
from local.plugins.kubernetes_provider.context import Cluster
from local.plugins.kubernetes_provider.errors import ApiError, ProviderError
from local.plugins.kubernetes_provider.lifecycle import ResourceRef
from local.plugins.kubernetes_provider.objects import Object
from local.plugins.kubernetes_provider.values import UNKNOWN, Secret, plain
from tests.plugins.live.objects import config_map, deployment, exists, with_annotations
from tests.plugins.live.resources import Made, Resources, token
from tests.plugins.test_secret_values import visible


def unawaited(namespace: str, **spec: object) -> Object:
    """Make a Deployment that is not waited for."""
    return with_annotations(deployment(namespace, **spec), skipAwait="true")  # type: ignore[arg-type]


def patch(client: Client, made: Made, body: Object, manager: str = "someone") -> None:
    """Change a namespaced object behind Pulumi's back."""
    kinds = {
        "ConfigMap": "/api/v1/namespaces/{}/configmaps/{}",
        "Deployment": "/apis/apps/v1/namespaces/{}/deployments/{}",
    }
    path = kinds[plain(made.state)["kind"]].format(*made.resource.identity.split("/"))
    client.request("PATCH", path, {"fieldManager": manager}, body, MERGE_PATCH)


def test_an_object_is_made_with_a_name_of_its_own(resources: Resources, client: Client, namespace: str) -> None:
    made = resources.create(config_map(namespace, None))
    assert made.resource.identity == f"{namespace}/thing-00112233"
    live = client.get(f"/api/v1/namespaces/{namespace}/configmaps/thing-00112233")
    assert live["data"] == {"a": "1"}
    assert [entry["manager"] for entry in live["metadata"]["managedFields"]] == ["pulumi-kubernetes"]


def test_an_object_without_a_namespace_goes_to_the_contexts_namespace(resources: Resources) -> None:
    obj = config_map("x")
    del obj["metadata"]["namespace"]
    assert resources.check(obj)[1]["metadata"]["namespace"] == "default"


def test_a_kind_without_namespaces_gets_none(resources: Resources) -> None:
    role = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "x"}}
    assert "namespace" not in resources.check(role)[1]["metadata"]


def test_a_changed_object_keeps_what_others_have_added(resources: Resources, client: Client, namespace: str) -> None:
    made = resources.create(unawaited(namespace))
    patch(client, made, {"metadata": {"labels": {"added": "by-someone"}}})
    changed = resources.update(made, unawaited(namespace, image="example.org/api:2"))
    live = plain(changed.state)
    assert live["spec"]["template"]["spec"]["containers"][0]["image"] == "example.org/api:2"
    assert live["metadata"]["labels"] == {"added": "by-someone"}


def test_a_field_that_the_program_drops_is_removed(resources: Resources, namespace: str) -> None:
    made = resources.create(config_map(namespace, a="1", b="2"))
    assert plain(resources.update(made, config_map(namespace, a="1")).state)["data"] == {"a": "1"}


def test_the_same_program_changes_nothing(resources: Resources, namespace: str) -> None:
    made = resources.create(unawaited(namespace))
    assert not resources.diff(made, unawaited(namespace)).changes


def test_a_value_that_is_only_written_differently_changes_nothing(resources: Resources, namespace: str) -> None:
    made = resources.create(unawaited(namespace))
    same = unawaited(namespace)
    same["spec"]["template"]["spec"]["containers"][0]["resources"]["limits"]["cpu"] = "1"
    same["spec"]["revisionHistoryLimit"] = 10
    assert not resources.diff(made, same).changes
    other = unawaited(namespace)
    other["spec"]["template"]["spec"]["containers"][0]["resources"]["limits"]["cpu"] = "2"
    assert resources.diff(made, other).changes


def test_a_change_that_the_server_would_refuse_is_made_by_replacing(resources: Resources, namespace: str) -> None:
    made = resources.create(unawaited(namespace))
    other = unawaited(namespace)
    other["spec"]["selector"] = {"matchLabels": {"app": "other"}}
    other["spec"]["template"]["metadata"]["labels"] = {"app": "other"}
    found = resources.diff(made, other)
    assert [change.text() for change in found.replaces] == ["spec.selector.matchLabels.app"]
    assert found.delete_first
    with pytest.raises(ApiError, match="field is immutable"):
        resources.update(made, other)


def test_a_preview_shows_defaults_and_stores_nothing(resources: Resources, client: Client, namespace: str) -> None:
    seen = resources.preview(unawaited(namespace))
    assert seen["spec"]["strategy"]["type"] == "RollingUpdate"
    assert "uid" not in seen["metadata"]
    assert not exists(client, f"/apis/apps/v1/namespaces/{namespace}/deployments/api")


def test_a_preview_does_not_make_up_an_address(resources: Resources, namespace: str) -> None:
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "api", "namespace": namespace},
        "spec": {"ports": [{"port": 80}], "selector": {"app": "x"}},
    }
    assert resources.preview(service)["spec"]["clusterIP"] == UNKNOWN


def test_a_preview_refuses_what_the_update_would(resources: Resources, namespace: str) -> None:
    broken = unawaited(namespace)
    broken["spec"]["template"]["spec"]["containers"][0]["imagePullPolicy"] = "Sometimes"
    with pytest.raises(ApiError, match="imagePullPolicy: Unsupported value"):
        resources.preview(broken)


def test_a_preview_works_in_a_namespace_that_does_not_exist_yet(resources: Resources) -> None:
    assert resources.preview(config_map("not-there-yet"))["data"] == {"a": "1"}


def test_a_preview_works_for_a_kind_that_does_not_exist_yet(resources: Resources) -> None:
    thing = {"apiVersion": "example.org/v1", "kind": "Thing", "metadata": {"name": "x", "namespace": "default"}}
    assert resources.preview({**thing, "spec": {"size": 1}})["spec"] == {"size": 1}


def test_a_preview_works_with_values_that_are_not_known_yet(resources: Resources, namespace: str) -> None:
    seen = resources.preview({**config_map(namespace), "data": {"address": UNKNOWN}})
    assert seen["data"]["address"] == UNKNOWN


def test_an_object_that_is_there_already_is_not_taken_over_by_chance(resources: Resources, namespace: str) -> None:
    resources.create(config_map(namespace))
    with pytest.raises(ProviderError, match=f"ConfigMap {namespace}/settings exists already and is not in this stack"):
        resources.create(config_map(namespace))


def test_a_preview_tells_an_object_of_someone_else_from_one_that_is_being_replaced(
    resources: Resources, client: Client, namespace: str
) -> None:
    client.request("POST", f"/api/v1/namespaces/{namespace}/configmaps", body=config_map(namespace))
    with pytest.raises(ProviderError, match="exists already"):
        resources.preview(config_map(namespace))
    resources.create(unawaited(namespace))
    other = unawaited(namespace)
    other["spec"]["selector"] = {"matchLabels": {"app": "other"}}
    other["spec"]["template"]["metadata"]["labels"] = {"app": "other"}
    assert resources.preview(other)["spec"]["selector"] == {"matchLabels": {"app": "other"}}


def test_an_object_that_is_there_already_is_taken_over_on_demand(resources: Resources, namespace: str) -> None:
    resources.create(config_map(namespace))
    forced = with_annotations(config_map(namespace, a="2"), patchForce="true")
    assert plain(resources.create(forced).state)["data"] == {"a": "2"}


def test_a_field_that_another_manager_holds_is_not_fought_over(
    resources: Resources, client: Client, namespace: str
) -> None:
    made = resources.create(config_map(namespace))
    patch(client, made, {"data": {"a": "theirs"}}, "kubectl-edit")
    with pytest.raises(ApiError, match=r"\.data\.a is held by kubectl-edit"):
        resources.update(made, config_map(namespace, a="3"))
    forced = with_annotations(config_map(namespace, a="3"), patchForce="true")
    assert plain(resources.update(made, forced).state)["data"] == {"a": "3"}


def test_a_refresh_brings_what_someone_has_changed(resources: Resources, client: Client, namespace: str) -> None:
    made = resources.create(config_map(namespace, a="1", b="2"))
    patch(client, made, {"data": {"a": "theirs", "c": "new"}})
    found = resources.refresh(made)
    assert found is not None
    assert plain(found.inputs)["data"] == {"a": "theirs", "b": "2"}
    drifted = Made(made.resource, found.inputs, found.state)
    changes = resources.diff(drifted, config_map(namespace, a="1", b="2")).changes
    assert [change.text() for change in changes] == ["data.a"]


def test_a_refresh_of_an_untouched_object_finds_nothing(resources: Resources, namespace: str) -> None:
    made = resources.create(unawaited(namespace))
    found = resources.refresh(made)
    assert found is not None
    assert plain(found.inputs) == plain(made.inputs)


def test_a_refresh_of_an_object_that_has_gone_says_so(resources: Resources, client: Client, namespace: str) -> None:
    made = resources.create(config_map(namespace))
    client.request("DELETE", f"/api/v1/namespaces/{namespace}/configmaps/settings")
    assert resources.refresh(made) is None


def test_an_object_that_pulumi_has_not_made_is_imported(resources: Resources, client: Client, namespace: str) -> None:
    body = config_map(namespace, a="1")
    client.request("POST", f"/api/v1/namespaces/{namespace}/configmaps", body=body)
    resource = ResourceRef("urn", token(body), "thing", f"{namespace}/settings")
    found = resources.lifecycle.read(resource, {}, {})
    assert found is not None
    assert plain(found.inputs) == body
    assert not resources.diff(Made(resource, found.inputs, found.state), body).changes


def test_an_object_is_deleted_with_all_that_belongs_to_it(resources: Resources, client: Client, namespace: str) -> None:
    made = resources.create(unawaited(namespace))
    resources.delete(made)
    assert not exists(client, f"/apis/apps/v1/namespaces/{namespace}/deployments/api")
    assert not client.get(f"/apis/apps/v1/namespaces/{namespace}/replicasets")["items"]


def test_an_object_that_has_gone_is_deleted_without_complaint(
    resources: Resources, client: Client, namespace: str
) -> None:
    made = resources.create(config_map(namespace))
    client.request("DELETE", f"/api/v1/namespaces/{namespace}/configmaps/settings")
    resources.delete(made)


def test_an_object_that_someone_has_made_anew_is_not_deleted(
    resources: Resources, client: Client, namespace: str
) -> None:
    made = resources.create(config_map(namespace))
    client.request("DELETE", f"/api/v1/namespaces/{namespace}/configmaps/settings")
    client.request("POST", f"/api/v1/namespaces/{namespace}/configmaps", body=config_map(namespace, mine="yes"))
    resources.delete(made)
    assert client.get(f"/api/v1/namespaces/{namespace}/configmaps/settings")["data"] == {"mine": "yes"}


def test_a_deletion_that_something_holds_back_says_what(resources: Resources, client: Client, namespace: str) -> None:
    resources.timeout = 0.5
    made = resources.create(config_map(namespace))
    patch(client, made, {"metadata": {"finalizers": ["example.org/backup"]}})
    with pytest.raises(ProviderError, match=r"has not gone in time: finalizers example\.org/backup"):
        resources.delete(made)
    patch(client, made, {"metadata": {"finalizers": None}})


def test_an_object_that_has_gone_is_made_again_by_an_update(
    resources: Resources, client: Client, namespace: str
) -> None:
    made = resources.create(config_map(namespace))
    client.request("DELETE", f"/api/v1/namespaces/{namespace}/configmaps/settings")
    resources.update(made, config_map(namespace, a="2"))
    assert client.get(f"/api/v1/namespaces/{namespace}/configmaps/settings")["data"] == {"a": "2"}


def test_the_state_of_an_object_with_secrets_shows_none(resources: Resources, namespace: str) -> None:
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "keys", "namespace": namespace}}
    made = resources.create({**secret, "stringData": Secret({"key": "hunter2secret"})})
    shown = visible(made.state) + visible(made.inputs)
    assert "hunter2secret" not in shown
    assert "aHVudGVyMnNlY3JldA==" not in shown
    assert plain(made.state)["data"] == {"key": "aHVudGVyMnNlY3JldA=="}
    found = resources.refresh(made)
    assert found is not None
    assert "aHVudGVyMnNlY3JldA==" not in visible(found.state) + visible(found.inputs)


def test_an_autoscaler_and_the_program_do_not_fight(resources: Resources, client: Client, namespace: str) -> None:
    made = resources.create(unawaited(namespace, replicas=2))
    path = f"/apis/apps/v1/namespaces/{namespace}/deployments/api/scale"
    client.request("PATCH", path, {"fieldManager": "autoscaler"}, {"spec": {"replicas": 5}}, MERGE_PATCH)
    found = resources.refresh(made)
    assert found is not None
    seen = Made(made.resource, found.inputs, found.state)
    assert not resources.diff(seen, unawaited(namespace, replicas=2)).changes
    changed = resources.update(seen, unawaited(namespace, replicas=2, image="example.org/api:2"))
    live: Any = plain(changed.state)
    assert live["spec"]["replicas"] == 5
    assert live["spec"]["template"]["spec"]["containers"][0]["image"] == "example.org/api:2"


def test_a_custom_resource_waits_for_the_definition_of_its_kind(cluster: Cluster, resources: Resources) -> None:
    definition = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "things.example.org"},
        "spec": {
            "group": "example.org",
            "scope": "Namespaced",
            "names": {"kind": "Thing", "plural": "things"},
            "versions": [
                {
                    "name": "v1",
                    "served": True,
                    "storage": True,
                    "schema": {
                        "openAPIV3Schema": {"type": "object", "x_kubernetes_preserve_unknown_fields": True},
                    },
                }
            ],
        },
    }
    kind = resources.create(definition)
    assert plain(kind.state)["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["x_kubernetes_preserve_unknown_fields"]
    thing = {"apiVersion": "example.org/v1", "kind": "Thing", "metadata": {"namespace": "default"}, "spec": {"n": 1}}
    made = resources.create({**thing, "spec": {"n": 1, "cpu": "1000m"}})
    assert not resources.diff(made, {**thing, "spec": {"n": 1, "cpu": "1000m"}}).changes
    path = f"/apis/example.org/v1/namespaces/default/things/{made.name}"
    cluster.client.request("PATCH", path, {"fieldManager": "operator"}, {"spec": {"cpu": "1"}}, MERGE_PATCH)
    found = resources.refresh(made)
    assert found is not None
    seen = Made(made.resource, found.inputs, found.state)
    assert [change.text() for change in resources.diff(seen, {**thing, "spec": {"n": 1, "cpu": "1000m"}}).changes] == [
        "spec.cpu"
    ]
    assert not resources.diff(seen, {**thing, "spec": {"n": 1, "cpu": "1"}}).changes
    resources.delete(made)
    made = resources.create(thing)
    assert plain(resources.update(made, {**thing, "spec": {"n": 2}}).state)["spec"] == {"n": 2}
    resources.delete(made)
    resources.delete(kind)
    assert cluster.client.get("/apis/apiextensions.k8s.io/v1/customresourcedefinitions")["items"] == []
