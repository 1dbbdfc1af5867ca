"""What is registered for the add-ons, and in which order."""

import pulumi
import pytest

from infra.platform.addons.definition import Addon
from infra.platform.addons.install import ADDONS
from infra.platform.addons.versions import CHARTS
from tests.infra.engine import Resource, Stack
from tests.infra.platform.addons.conftest import EVERYTHING, Installed, release, releases


def comes_after(stack: Stack, later: Resource, earlier: Resource) -> bool:
    """Whether a resource waits for another one, directly or not."""
    by_urn = {resource.urn: resource for resource in stack.resources}
    waiting = set(later.dependencies)
    seen: set[str] = set()
    while waiting - seen:
        urn = (waiting - seen).pop()
        seen.add(urn)
        waiting |= by_urn[urn].dependencies
    return earlier.urn in seen


def test_every_add_on_is_a_release_of_its_pinned_chart(everything: Stack) -> None:
    found = releases(everything)
    assert set(found) == set(CHARTS)
    for key, each in found.items():
        chart = CHARTS[key]
        assert each.inputs["chart"] == chart.name
        assert each.inputs["version"] == chart.version
        assert each.inputs["repositoryOpts"] == {"repo": chart.repository}


def test_the_usual_cluster_gets_what_environments_stand_on_and_no_more(installed: Installed) -> None:
    assert set(releases(installed())) == {
        "gateway_api",
        "traefik",
        "cert_manager",
        "cloudnative_pg",
        "barman_cloud",
        "metrics_server",
        "prometheus_adapter",
    }


def test_one_setting_takes_all_charts_from_another_repository(installed: Installed) -> None:
    stack = installed("aws", **EVERYTHING, repository="http://127.0.0.1:8879/charts")
    repositories = {each.inputs["repositoryOpts"]["repo"] for each in releases(stack).values()}
    assert repositories == {"http://127.0.0.1:8879/charts"}


@pytest.mark.parametrize("addon", ADDONS, ids=lambda addon: addon.key)
def test_a_provided_add_on_is_left_alone(installed: Installed, addon: Addon) -> None:
    stack = installed("aws", **{**EVERYTHING, addon.setting: "provided"})
    left_alone = {each.key for each in ADDONS if each.setting == addon.setting}
    assert set(releases(stack)) == set(CHARTS) - left_alone
    assert not [each for each in stack.objects if each.name.startswith(addon.key)]


def test_a_namespace_that_only_provided_add_ons_are_in_is_not_made(installed: Installed) -> None:
    stack = installed(traefik="provided", cloudnative_pg="provided", barman_cloud="none")
    namespaces = {each.object_name for each in stack.objects if each.kind == "Namespace"}
    assert namespaces == {"cert-manager", "monitoring", "task-manager-platform"}


@pytest.mark.parametrize(
    ("later", "earlier"),
    [
        ("traefik", "gateway_api"),
        ("traefik", "aws_load_balancer"),
        ("cert_manager", "gateway_api"),
        ("barman_cloud", "cloudnative_pg"),
        ("barman_cloud", "cert_manager"),
        ("metrics_server", "cert_manager"),
        ("prometheus_adapter", "cert_manager"),
        ("aws_load_balancer", "cert_manager"),
        ("cloudnative_pg", "prometheus_operator"),
        ("istio_cni", "istio_base"),
        ("istiod", "istio_cni"),
        ("istiod", "gateway_api"),
    ],
)
def test_what_an_add_on_needs_is_there_before_it(everything: Stack, later: str, earlier: str) -> None:
    found = releases(everything)
    assert comes_after(everything, found[later], found[earlier])


def test_the_namespace_of_a_release_is_there_before_it(everything: Stack) -> None:
    for each in releases(everything).values():
        namespace = each.inputs["namespace"]
        if namespace != "kube-system":
            assert comes_after(everything, each, everything.find("Namespace", namespace))


def test_a_failed_installation_leaves_nothing_half_done(everything: Stack) -> None:
    for each in releases(everything).values():
        assert each.inputs["atomic"]
        assert each.inputs["cleanupOnFail"]


def test_there_is_time_to_go_back_after_a_failed_rollout(everything: Stack) -> None:
    for each in releases(everything).values():
        minutes = each.inputs["timeout"] / 60
        assert {each.create_timeout, each.update_timeout, each.delete_timeout} == {f"{minutes * 2 + 1:.0f}m"}


def test_every_resource_is_made_by_the_provider_of_the_cluster(everything: Stack) -> None:
    assert all("::cluster::" in each.provider for each in everything.objects)


def test_only_the_namespace_of_the_node_exporter_takes_privileged_pods(everything: Stack) -> None:
    levels = {
        each.object_name: each.inputs["metadata"]["labels"].get("pod-security.kubernetes.io/enforce")
        for each in everything.objects
        if each.kind == "Namespace"
    }
    assert levels.pop("monitoring") == "privileged"
    assert levels.pop("task-manager-platform") == "restricted"
    assert set(levels.values()) == {"restricted"}


def test_without_the_operator_monitoring_is_restricted_too(installed: Installed) -> None:
    labels = installed().find("Namespace", "monitoring").inputs["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"


def test_the_load_balancer_controller_is_for_aws_alone(installed: Installed) -> None:
    assert "aws_load_balancer" not in releases(installed("digitalocean"))


def test_k3s_keeps_its_own_metrics_server(installed: Installed) -> None:
    assert "metrics_server" not in releases(installed("vps"))


def test_values_of_the_settings_win(installed: Installed) -> None:
    values = {"traefik": {"service": {"spec": {"type": "NodePort"}}, "deployment": {"replicas": 5}}}
    traefik = release(installed(values=values), "traefik").inputs["values"]
    assert traefik["service"]["spec"] == {"type": "NodePort", "externalTrafficPolicy": "Local"}
    assert traefik["deployment"]["replicas"] == 5


def test_an_add_on_that_is_there_already_is_refused_in_one_line(
    installed: Installed, monkeypatch: pytest.MonkeyPatch
) -> None:
    crd = {"metadata": {"annotations": {"gateway.networking.k8s.io/bundle-version": "v1.2.0"}}}
    monkeypatch.setattr(
        "infra.platform.addons.present.connect", lambda _: lambda wanted: crd if "gateways." in wanted.name else None
    )
    with pytest.raises(pulumi.RunError) as refused:
        installed()
    assert len(str(refused.value).splitlines()) == 1
    assert "addons.gateway_api" in str(refused.value)
    assert "v1.2.0" in str(refused.value)


def test_a_cluster_that_this_stack_makes_is_not_looked_at(
    installed: Installed, monkeypatch: pytest.MonkeyPatch
) -> None:
    def connect(_: str) -> None:
        raise AssertionError("there may be no cluster yet")

    monkeypatch.setattr("infra.platform.addons.present.connect", connect)
    installed("aws")
