"""Property diffs, and replacement only where the API server requires it."""

from types import SimpleNamespace
from typing import Any

import pytest

from local.plugins.kubernetes_provider.changes import Change, Kind, compare
from local.plugins.kubernetes_provider.diff import Difference, compare_objects, diff, is_custom
from local.plugins.kubernetes_provider.errors import ApiError
from local.plugins.kubernetes_provider.objects import Object
from local.plugins.kubernetes_provider.settings import Settings
from local.plugins.kubernetes_provider.values import UNKNOWN


def places(old: Object, new: Object) -> list[tuple[str, str]]:
    """Give what differs as texts."""
    return [(change.text(), change.kind.value) for change in compare(old, new)]


def test_every_place_is_named_the_way_pulumi_writes_it() -> None:
    old = {"a": {"b.c": 1}, "ports": [{"port": 80}], "gone": 1}
    new = {"a": {"b.c": 2}, "ports": [{"port": 80}, {"port": 81}], "new": 1}
    assert places(old, new) == [
        ('a["b.c"]', "update"),
        ("gone", "delete"),
        ("new", "add"),
        ("ports[1]", "add"),
    ]


def test_equal_numbers_of_two_types_are_no_difference() -> None:
    assert places({"n": 1}, {"n": 1.0}) == []


def test_a_flag_that_becomes_a_number_is_a_difference() -> None:
    assert places({"n": True}, {"n": 1}) == [("n", "update")]


def test_what_is_not_known_yet_differs() -> None:
    assert places({"n": 1}, {"n": UNKNOWN}) == [("n", "update")]


def objects(api_version: str, kind: str, **fields: object) -> Object:
    """Make an object with an explicit name."""
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": "x", "namespace": "n"}, **fields}


def difference(old: Object, new: Object, **mutable: bool) -> Difference:
    """Compare with the provider's default settings."""
    settings = {"config_map_mutable": False, "secret_mutable": False} | mutable
    return compare_objects(old, new, **settings)


REPLACED = [
    ("apps/v1", "Deployment", "spec.selector.matchLabels.app"),
    ("apps/v1", "StatefulSet", "spec.serviceName"),
    ("apps/v1", "StatefulSet", "spec.volumeClaimTemplates"),
    ("apps/v1", "DaemonSet", "spec.selector"),
    ("batch/v1", "Job", "spec.template.spec.containers"),
    ("v1", "Service", "spec.clusterIP"),
    ("v1", "PersistentVolumeClaim", "spec.storageClassName"),
    ("v1", "PersistentVolumeClaim", "spec.accessModes"),
    ("v1", "PersistentVolume", "spec.hostPath.path"),
    ("v1", "ConfigMap", "data.key"),
    ("v1", "Secret", "type"),
    ("v1", "Secret", "stringData.key"),
    ("v1", "Pod", "spec.containers"),
    ("rbac.authorization.k8s.io/v1", "RoleBinding", "roleRef.name"),
    ("storage.k8s.io/v1", "StorageClass", "provisioner"),
    ("apiextensions.k8s.io/v1", "CustomResourceDefinition", "spec.scope"),
    ("apps/v1", "Deployment", "metadata.name"),
    ("v1", "Service", "metadata.namespace"),
]
KEPT = [
    ("apps/v1", "Deployment", "spec.template.spec.containers"),
    ("apps/v1", "Deployment", "spec.replicas"),
    ("apps/v1", "StatefulSet", "spec.template.spec.containers"),
    ("apps/v1", "StatefulSet", "spec.replicas"),
    ("batch/v1", "Job", "spec.parallelism"),
    ("batch/v1", "CronJob", "spec.jobTemplate.spec.template"),
    ("v1", "Service", "spec.ports"),
    ("v1", "Service", "spec.type"),
    ("v1", "PersistentVolumeClaim", "spec.resources.requests.storage"),
    ("v1", "PersistentVolume", "spec.persistentVolumeReclaimPolicy"),
    ("v1", "ConfigMap", "metadata.labels.a"),
    ("postgresql.cnpg.io/v1", "Cluster", "spec.storage.size"),
    ("v1", "Pod", "metadata.labels.a"),
]


def _with(path: str, value: str) -> Object:
    tree: Object = {}
    place = tree
    *parents, last = path.split(".")
    for parent in parents:
        place = place.setdefault(parent, {})
    place[last] = value
    return tree


def _pair(api_version: str, kind: str, path: str) -> tuple[Object, Object]:
    def make(value: str) -> Object:
        tree = _with(path, value)
        metadata = {"name": "x", "namespace": "n", **tree.pop("metadata", {})}
        return {"apiVersion": api_version, "kind": kind, "metadata": metadata, **tree}

    return make("old"), make("new")


@pytest.mark.parametrize(("api_version", "kind", "path"), REPLACED)
def test_an_immutable_field_makes_a_new_object(api_version: str, kind: str, path: str) -> None:
    found = difference(*_pair(api_version, kind, path))
    assert [change.text() for change in found.replaces] == [path]


@pytest.mark.parametrize(("api_version", "kind", "path"), KEPT)
def test_a_mutable_field_is_changed_in_place(api_version: str, kind: str, path: str) -> None:
    found = difference(*_pair(api_version, kind, path))
    assert [change.text() for change in found.changes] == [path]
    assert not found.replaces


def test_the_image_of_a_pod_is_changed_in_place() -> None:
    def pod(image: str) -> Object:
        return objects("v1", "Pod", spec={"containers": [{"name": "c", "image": image}]})

    assert not difference(pod("a"), pod("b")).replaces


def test_a_config_map_is_changed_in_place_when_the_provider_says_so() -> None:
    old, new = objects("v1", "ConfigMap", data={"a": "1"}), objects("v1", "ConfigMap", data={"a": "2"})
    assert not difference(old, new, config_map_mutable=True).replaces
    frozen = {**new, "immutable": True}
    assert difference({**old, "immutable": True}, frozen, config_map_mutable=True).replaces


def test_a_secret_is_changed_in_place_when_the_provider_says_so() -> None:
    old, new = objects("v1", "Secret", data={"a": "1"}), objects("v1", "Secret", data={"a": "2"})
    assert not difference(old, new, secret_mutable=True).replaces


def test_the_old_object_goes_first_when_the_new_one_has_its_name() -> None:
    old, new = _pair("apps/v1", "Deployment", "spec.selector")
    assert difference(old, new).delete_first


def test_the_new_object_comes_first_when_its_name_is_made_up() -> None:
    old, new = _pair("apps/v1", "Deployment", "spec.selector")
    for obj in (old, new):
        obj["metadata"]["annotations"] = {"pulumi.com/autonamed": "true"}
    assert not difference(old, new).delete_first


def test_the_new_object_comes_first_when_it_gets_another_name() -> None:
    assert not difference(*_pair("v1", "ConfigMap", "metadata.name")).delete_first


def test_a_namespace_that_was_understood_is_no_other_namespace() -> None:
    old = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}}
    new = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x", "namespace": "default"}}
    assert difference(old, new).changes == (Change(("metadata", "namespace"), Kind.ADD),)
    assert not difference(old, new).replaces


@pytest.mark.parametrize(("tried", "changes"), [("1", 0), ("2", 1)])
def test_what_a_controller_writes_during_the_comparison_is_no_change_of_ours(
    monkeypatch: pytest.MonkeyPatch, tried: str, changes: int
) -> None:
    def deployment(cpu: str, **annotations: str) -> Object:
        found = objects("apps/v1", "Deployment", spec={"cpu": cpu})
        found["metadata"] = {**found["metadata"], "annotations": annotations}
        return found

    looks = iter([deployment("1"), deployment("1", revision="1")])
    server: Any = SimpleNamespace(settings=Settings(), read=lambda _: next(looks))
    answer = deployment(tried, revision="1")
    monkeypatch.setattr("local.plugins.kubernetes_provider.diff.apply", lambda *_, **__: answer)
    found = diff(server, deployment("1"), deployment("1000m"), {}, "pulumi-kubernetes")
    assert len(found.changes) == changes


def job(state: str | None = None, *, replaced: str = "true") -> Object:
    """Make a Job that asks to be replaced while it is not ready, in one state or in none yet."""
    made = objects("batch/v1", "Job", spec={"template": {"spec": {"image": "a"}}})
    made["metadata"]["annotations"] = {"pulumi.com/replaceUnready": replaced}
    if state:
        made["status"] = {"conditions": [{"type": state, "status": "True"}]}
    return made


@pytest.mark.parametrize(
    ("live", "replaced"),
    [(job("Complete"), False), (job("Failed"), True), (job(), True), (job("Failed", replaced="false"), False)],
    ids=["completed", "failed", "running", "failed, not annotated"],
)
def test_a_job_that_has_not_completed_is_made_anew_where_it_asks_for_that(live: Object, *, replaced: bool) -> None:
    wanted = {key: value for key, value in live.items() if key != "status"}
    server: Any = SimpleNamespace(settings=Settings(), read=lambda _: live)
    found = diff(server, wanted, wanted, {}, "pulumi-kubernetes")
    assert bool(found.replaces) is replaced
    assert found.delete_first is replaced, "both have one name"


def test_a_job_that_somebody_has_deleted_is_not_replaced() -> None:
    def gone(_: Object) -> Object:
        raise ApiError(404, {"reason": "NotFound"})

    server: Any = SimpleNamespace(settings=Settings(), read=gone)
    assert diff(server, job(), job(), {}, "pulumi-kubernetes") == Difference()


def database(cpu: str, **spec: object) -> Object:
    """Make a custom resource with a quantity."""
    return objects("postgresql.cnpg.io/v1", "Cluster", spec={"limits": {"cpu": cpu}, **spec})


@pytest.mark.parametrize(("live", "asked", "changes"), [("1", "1000m", ["spec.limits.cpu"]), ("1", "1", [])])
def test_what_a_controller_spells_differently_in_a_custom_resource_is_a_change(
    live: str, asked: str, changes: list[str]
) -> None:
    server: Any = SimpleNamespace(settings=Settings())
    seen = database(live, added_by="the controller")
    found = diff(server, database(asked), database(asked), seen, "pulumi-kubernetes")
    assert [change.text() for change in found.changes] == changes
    assert not found.replaces


def test_a_new_spelling_that_the_live_object_has_already_is_no_change() -> None:
    server: Any = SimpleNamespace(settings=Settings())
    found = diff(server, database("1000m"), database("1"), database("1"), "pulumi-kubernetes")
    assert found == Difference()


@pytest.mark.parametrize(
    ("api_version", "custom"),
    [
        ("v1", False),
        ("apps/v1", False),
        ("networking.k8s.io/v1", False),
        ("gateway.networking.k8s.io/v1", True),
        ("postgresql.cnpg.io/v1", True),
    ],
)
def test_a_custom_resource_is_known_by_its_group(api_version: str, *, custom: bool) -> None:
    assert is_custom({"apiVersion": api_version}) is custom


@pytest.mark.parametrize(
    ("ignored", "left"),
    [
        ([], ["spec.limits.cpu", "spec.size"]),
        (["spec.limits"], ["spec.size"]),
        (["spec.lim"], ["spec.limits.cpu", "spec.size"]),
        (["spec"], []),
    ],
)
def test_what_the_program_ignores_is_no_change(ignored: list[str], left: list[str]) -> None:
    server: Any = SimpleNamespace(settings=Settings())
    asked = database("1000m", size="1024Mi")
    found = diff(server, asked, asked, database("1", size="1Gi"), "pulumi-kubernetes").without(ignored)
    assert [change.text() for change in found.changes] == left
