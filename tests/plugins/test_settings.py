"""The provider's settings are read as the engine passes them."""

from pathlib import Path

import pytest

from local.plugins.kubernetes_provider.check import normalise
from local.plugins.kubernetes_provider.configuration import compare
from local.plugins.kubernetes_provider.errors import ProviderError
from local.plugins.kubernetes_provider.settings import parse
from local.plugins.kubernetes_provider.tokens import kind_of
from local.plugins.kubernetes_provider.values import Secret
from tests.plugins.test_kubeconfig import write

UIDS = ("0f8fad5b-d9cb-469f-a165-70867728950e", "7c9e6679-7425-40de-944b-e07fc1f90ae7")


def test_booleans_come_as_texts() -> None:
    assert parse({"enablePatchForce": "true"}).enable_patch_force
    assert not parse({"enablePatchForce": "false"}).enable_patch_force


def test_the_environment_fills_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULUMI_K8S_DELETE_UNREACHABLE", "true")
    assert parse({}).delete_unreachable


def test_helms_settings_come_as_json() -> None:
    assert parse({"helmReleaseSettings": '{"driver": "secret"}'}).helm == {"driver": "secret"}


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({"enablePatchForce": "perhaps"}, "enablePatchForce is 'perhaps': it takes true or false"),
        ({"enableServerSideApply": "false"}, "enableServerSideApply: false needs the official"),
        ({"renderYamlToDirectory": "out"}, "renderYamlToDirectory needs the official"),
    ],
)
def test_a_setting_that_cannot_be_honoured_is_named(inputs: dict[str, str], message: str) -> None:
    with pytest.raises(ProviderError, match=message):
        parse(inputs)


def test_another_cluster_means_new_objects_and_another_user_does_not(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    one, same = str(write(tmp_path / "one")), str(write(tmp_path / "same", users=[{"name": "jane", "user": {}}]))
    assert compare({"kubeconfig": one}, {"kubeconfig": one}).changes == ()
    moved = compare({"kubeconfig": one}, {"kubeconfig": Secret(same)})
    assert moved.changes
    assert not moved.replaces
    assert compare({"kubeconfig": one}, {"kubeconfig": one, "context": "two"}).replaces


def test_a_kubeconfig_that_is_gone_cannot_be_compared(tmp_path: Path) -> None:
    here = str(write(tmp_path / "here"))
    gone = str(tmp_path / "gone")
    for old, new in (({"kubeconfig": gone}, {}), ({"kubeconfig": gone}, {"kubeconfig": here})):
        with pytest.raises(ProviderError, match=f"failed to parse kubeconfig: there is none at {gone}"):
            compare({**old, "clusterIdentifier": "a"}, {**new, "clusterIdentifier": "a"})


def rotated(path: Path) -> dict[str, str]:
    """Give the inputs of a kubeconfig whose cluster has another authority than that of `write`."""
    text = write(path).read_text()
    path.write_text(text.replace("certificate-authority: ca.crt", "certificate-authority-data: bmV3"))
    return {"kubeconfig": str(path)}


def test_another_authority_replaces_everything_unless_the_identifier_stays(tmp_path: Path) -> None:
    before, after = {"kubeconfig": str(write(tmp_path / "before"))}, rotated(tmp_path / "after")
    assert compare(before, after).replaces
    stays = compare({**before, "clusterIdentifier": UIDS[0]}, {**after, "clusterIdentifier": UIDS[0]})
    assert stays.changes
    assert not stays.replaces


def test_a_kubeconfig_that_is_no_input_any_more_replaces_nothing(tmp_path: Path) -> None:
    found = compare({"kubeconfig": str(write(tmp_path / "one")), "clusterIdentifier": "a"}, {"clusterIdentifier": "a"})
    assert found.changes
    assert not found.replaces
    assert not compare({"kubeconfig": str(tmp_path / "one")}, {}).replaces


def test_the_clusters_own_identifier_decides_where_there_is_one(tmp_path: Path) -> None:
    one = {"kubeconfig": str(write(tmp_path / "one")), "clusterIdentifier": "a"}
    assert not compare(one, {**one, "context": "two"}).replaces
    assert compare(one, {**one, "clusterIdentifier": "b"}).replaces


def test_a_stack_that_begins_to_remember_its_cluster_keeps_its_objects(tmp_path: Path) -> None:
    before = {"kubeconfig": str(write(tmp_path / "one"))}
    found = compare(before, {**before, "clusterIdentifier": UIDS[0]})
    assert found.changes
    assert not found.replaces


def test_a_cluster_of_another_uid_is_refused_in_one_line(tmp_path: Path) -> None:
    one = {"kubeconfig": str(write(tmp_path / "one")), "clusterIdentifier": UIDS[0]}
    with pytest.raises(ProviderError, match=f"this stack is in the cluster {UIDS[0]}, and .* leads to {UIDS[1]}"):
        compare(one, {**one, "clusterIdentifier": UIDS[1]})


@pytest.mark.parametrize(
    ("token", "kind"),
    [
        ("kubernetes:core/v1:ConfigMap", ("v1", "ConfigMap")),
        ("kubernetes:apps/v1:Deployment", ("apps/v1", "Deployment")),
        ("kubernetes:rbac.authorization.k8s.io/v1:Role", ("rbac.authorization.k8s.io/v1", "Role")),
        ("kubernetes:postgresql.cnpg.io/v1:Cluster", ("postgresql.cnpg.io/v1", "Cluster")),
    ],
)
def test_a_type_token_names_version_and_kind(token: str, kind: tuple[str, str]) -> None:
    assert kind_of(token) == kind


@pytest.mark.parametrize(
    "token",
    [
        "kubernetes:yaml/v2:ConfigGroup",
        "kubernetes:helm.sh/v4:Chart",
        "kubernetes:apps/v1:DeploymentPatch",
        "kubernetes:core/v1:ConfigMapList",
    ],
)
def test_a_type_that_only_the_official_provider_makes_is_refused(token: str) -> None:
    with pytest.raises(ProviderError, match=token.rsplit(":", 1)[0]):
        kind_of(token)


def test_what_is_the_engines_is_not_sent_to_the_cluster() -> None:
    inputs: dict[str, object] = {
        "__defaults": [],
        "kind": "X",
        "spec": {"a": None, "b": 0, "__defaults": []},
        "status": None,
    }
    assert normalise(inputs) == {"kind": "X", "spec": {"b": 0}}


def test_the_sdks_names_in_a_definition_become_the_servers() -> None:
    assert normalise({"schema": {"x_kubernetes_preserve_unknown_fields": True}}) == {
        "schema": {"x-kubernetes-preserve-unknown-fields": True}
    }
