"""Workers and beat: Deployments, settings, shutdown, scaling and network policies."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.chart import Manifest, RenderError, manifests, one, pod_specs, render, values_of

MAIL = {"to": [{"ipBlock": {"cidr": "0.0.0.0/0"}}], "ports": [{"port": 587, "protocol": "TCP"}]}


def with_jobs(**worker: Any) -> list[Manifest]:
    """Return phase 2 with background work in pods of its own."""
    return manifests(render({**values_of("phase2"), "jobs": {"enabled": True, "worker": worker}}))


def pod(found: list[Manifest], component: str) -> Manifest:
    return dict(one(found, "Deployment", component)["spec"]["template"]["spec"])


def environment(found: list[Manifest], component: str) -> dict[str, Manifest]:
    [container] = pod(found, component)["containers"]
    return {variable["name"]: variable for variable in container["env"]}


def test_without_workers_the_server_does_the_jobs_and_nothing_else_is_made() -> None:
    found = manifests(render({}))
    assert [manifest["kind"] for manifest in found].count("Deployment") == 1
    assert "APP_JOBS" not in environment(found, "api")


@pytest.mark.parametrize("component", ["api", "worker", "beat"])
def test_with_workers_servers_and_workers_use_the_broker(component: str) -> None:
    assert environment(with_jobs(), component)["APP_JOBS"]["value"] == "celery"


@pytest.mark.parametrize("component", ["worker", "beat"])
def test_a_worker_and_beat_run_what_the_server_runs_with_its_settings_and_rights(component: str) -> None:
    found = with_jobs()
    [serving], [running] = pod(found, "api")["containers"], pod(found, component)["containers"]
    assert running["args"] == [component, "--service", "all"]
    assert running["image"] == serving["image"]
    assert running["securityContext"] == serving["securityContext"]
    for field in ("securityContext", "automountServiceAccountToken", "serviceAccountName", "volumes"):
        assert pod(found, component)[field] == pod(found, "api")[field]
    own = {"APP_GRACEFUL_TIMEOUT", "REMAP_SIGTERM"}
    served, run = environment(found, "api"), environment(found, component)
    assert {name: value for name, value in run.items() if name not in own} == {
        name: value for name, value in served.items() if name not in own
    }


@pytest.mark.parametrize("component", ["api", "worker", "beat"])
def test_traces_and_errors_say_which_deployment_they_are_of(component: str) -> None:
    found = with_jobs()
    namespace = one(found, "Deployment", component)["metadata"]["namespace"]
    assert environment(found, component)["APP_DEPLOYMENT"]["value"] == namespace


def test_a_stopping_worker_hands_its_jobs_back_before_it_is_killed() -> None:
    """Celery waits for its jobs without end at TERM, and for `worker_soft_shutdown_timeout` at QUIT."""
    found = with_jobs(drain={"softShutdownSeconds": 45, "terminationGracePeriodSeconds": 56})
    variables = environment(found, "worker")
    assert variables["REMAP_SIGTERM"]["value"] == "SIGQUIT"
    assert variables["APP_GRACEFUL_TIMEOUT"]["value"] == "45"
    assert pod(found, "worker")["terminationGracePeriodSeconds"] == 56


def test_a_grace_period_that_would_kill_a_worker_before_it_has_handed_back_is_refused() -> None:
    with pytest.raises(RenderError, match=r"softShutdownSeconds 45 and 10 s .* must be less than .* 55"):
        with_jobs(drain={"softShutdownSeconds": 45, "terminationGracePeriodSeconds": 55})


def test_the_autoscaler_owns_the_number_of_workers_and_there_is_one_beat() -> None:
    found = with_jobs(autoscaling={"minReplicas": 1, "maxReplicas": 2})
    worker, scaler = one(found, "Deployment", "worker"), one(found, "HorizontalPodAutoscaler", "worker")
    assert "replicas" not in worker["spec"]
    assert scaler["spec"]["scaleTargetRef"]["name"] == worker["metadata"]["name"]
    assert (scaler["spec"]["minReplicas"], scaler["spec"]["maxReplicas"]) == (1, 2)
    assert one(found, "Deployment", "beat")["spec"]["replicas"] == 1


def test_workers_that_cannot_be_any_are_refused() -> None:
    with pytest.raises(RenderError, match=r"jobs\.worker\.autoscaling: minReplicas 3 is more than maxReplicas 2"):
        with_jobs(autoscaling={"minReplicas": 3, "maxReplicas": 2})


@pytest.mark.parametrize(("workers", "budgets"), [(1, {"api"}), (2, {"api", "worker"})])
def test_workers_have_a_budget_where_there_may_be_more_than_one(workers: int, budgets: set[str]) -> None:
    found = with_jobs(autoscaling={"minReplicas": 1, "maxReplicas": workers})
    made = [manifest for manifest in found if manifest["kind"] == "PodDisruptionBudget"]
    assert {budget["metadata"]["labels"]["app.kubernetes.io/component"] for budget in made} == budgets
    for budget in made:
        component = budget["metadata"]["labels"]["app.kubernetes.io/component"]
        assert budget["spec"]["selector"] == one(found, "Deployment", component)["spec"]["selector"]


def test_peers_of_workers_are_reached_by_no_other_pod() -> None:
    found = with_jobs(egressTo=[MAIL])
    policy = one(found, "NetworkPolicy", "worker")["spec"]
    assert policy["egress"] == [MAIL]
    assert policy["policyTypes"] == ["Egress"]
    reached = [
        labels["app.kubernetes.io/component"]
        for _, labels, _ in pod_specs(found)
        if policy["podSelector"]["matchLabels"].items() <= labels.items()
    ]
    assert reached == ["worker"]
    assert MAIL not in one(found, "NetworkPolicy", "api")["spec"]["egress"]


def test_prometheus_scrapes_the_metrics_that_only_beat_has() -> None:
    """Its relay publishes the events, and counts them."""
    found = with_jobs()
    annotations = one(found, "Deployment", "beat")["spec"]["template"]["metadata"]["annotations"]
    [container] = pod(found, "beat")["containers"]
    assert annotations["prometheus.io/scrape"] == "true"
    assert [annotations["prometheus.io/port"]] == [str(port["containerPort"]) for port in container["ports"]]
    scraper = {"podSelector": {"matchLabels": {"app": "prometheus"}}}
    values = {**values_of("phase2"), "jobs": {"enabled": True}, "networkPolicy": {"metricsFrom": [scraper]}}
    rules = one(manifests(render(values)), "NetworkPolicy", "api")["spec"]["ingress"]
    assert {"ports": [{"port": container["ports"][0]["name"]}], "from": [scraper]} in rules


def test_without_scraping_no_pod_is_annotated() -> None:
    found = manifests(render({**values_of("phase2"), "jobs": {"enabled": True}, "metrics": {"scrape": False}}))
    marked = [
        name
        for manifest in found
        if manifest["kind"] == "Deployment"
        for name in manifest["spec"]["template"]["metadata"].get("annotations") or {}
    ]
    assert [name for name in marked if name.startswith("prometheus.io/")] == []


def test_the_service_sends_no_request_to_a_worker() -> None:
    found = with_jobs()
    selector = one(found, "Service")["spec"]["selector"]
    selected = [labels for _, labels, _ in pod_specs(found) if selector.items() <= labels.items()]
    assert [labels["app.kubernetes.io/component"] for labels in selected] == ["api"]


@pytest.mark.parametrize("component", ["worker", "beat"])
def test_a_pod_that_has_lost_its_broker_is_not_ready_long_before_it_is_restarted(component: str) -> None:
    [container] = pod(with_jobs(), component)["containers"]
    patience = {
        probe: container[probe]["periodSeconds"] * container[probe]["failureThreshold"]
        for probe in ("livenessProbe", "readinessProbe")
    }
    assert patience["livenessProbe"] >= 3 * patience["readinessProbe"]


def test_workers_do_not_share_a_volume_with_the_server() -> None:
    with pytest.raises(RenderError, match="jobs: workers cannot share one volume"):
        render({**values_of("phase1"), "jobs": {"enabled": True}})
