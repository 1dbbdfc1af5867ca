"""Deployments of every stack: scaling, rollout, probes, shutdown, security and scheduling."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from infra import names
from infra.config.sizes import SURGE
from tests.contract.chart import ROOT, STACKS, Manifest, manifests, objects, one, pod_specs, render, values_of
from tests.support.quantities import value_of

every_stack = pytest.mark.parametrize("stack", STACKS)


def server(stack: str) -> Manifest:
    """Return the server's container."""
    [container] = one(objects(stack), "Deployment", "api")["spec"]["template"]["spec"]["containers"]
    return dict(container)


@every_stack
def test_the_autoscaler_alone_owns_the_number_of_pods(stack: str) -> None:
    deployment, scaler = one(objects(stack), "Deployment", "api"), one(objects(stack), "HorizontalPodAutoscaler", "api")
    assert "replicas" not in deployment["spec"]
    assert scaler["spec"]["scaleTargetRef"] == {
        "apiVersion": deployment["apiVersion"],
        "kind": deployment["kind"],
        "name": deployment["metadata"]["name"],
    }


@pytest.mark.parametrize(("stack", "pods"), [("phase1", (1, 1)), ("phase2", (3, 3)), ("phase3", (3, 12))])
def test_a_phase_has_its_number_of_pods(stack: str, pods: tuple[int, int]) -> None:
    scaler = one(objects(stack), "HorizontalPodAutoscaler", "api")["spec"]
    assert (scaler["minReplicas"], scaler["maxReplicas"]) == pods


def test_phase_3_scales_by_the_metric_that_the_adapter_serves_and_by_cpu() -> None:
    scaler = one(objects("phase3"), "HorizontalPodAutoscaler", "api")["spec"]
    by_type = {metric["type"]: metric for metric in scaler["metrics"]}
    assert by_type.keys() == {"Resource", "Pods"}
    assert by_type["Pods"]["pods"]["metric"]["name"] in served_by_the_adapter()
    assert by_type["Pods"]["pods"]["target"] == {"type": "AverageValue", "averageValue": "100"}


def test_phase_3_scales_workers_by_queued_jobs_and_by_cpu() -> None:
    scaler = one(objects("phase3"), "HorizontalPodAutoscaler", "worker")["spec"]
    by_type = {metric["type"]: metric for metric in scaler["metrics"]}
    assert by_type.keys() == {"Resource", "Object"}
    waiting = by_type["Object"]["object"]
    assert waiting["metric"]["name"] in served_by_the_adapter()
    assert waiting["describedObject"] == {"apiVersion": "v1", "kind": "Namespace", "name": "task-manager-phase3"}
    assert waiting["target"] == {"type": "AverageValue", "averageValue": "20"}


def served_by_the_adapter() -> set[str]:
    """Return the names under which prometheus-adapter serves metrics by the project's rules."""
    rules = yaml.safe_load((ROOT / "monitoring" / "prometheus-adapter.yaml").read_text())["rules"]
    return {rule["name"]["as"] for rule in rules}


def test_a_pod_may_be_busier_than_its_request_before_there_are_more_of_them() -> None:
    scaler = one(objects("phase3"), "HorizontalPodAutoscaler", "api")["spec"]
    [percent] = [m["resource"]["target"]["averageUtilization"] for m in scaler["metrics"] if m["type"] == "Resource"]
    resources = server("phase3")["resources"]
    request, limit = (float(value_of(resources[kind]["cpu"])) for kind in ("requests", "limits"))
    assert 0.6 * limit < percent / 100 * request < 0.8 * limit


@every_stack
def test_pods_come_fast_and_go_slowly(stack: str) -> None:
    behaviour = one(objects(stack), "HorizontalPodAutoscaler", "api")["spec"]["behavior"]
    up, down = behaviour["scaleUp"], behaviour["scaleDown"]
    assert up["stabilizationWindowSeconds"] <= 30
    assert {(policy["type"], policy["value"]) for policy in up["policies"]} == {("Percent", 100), ("Pods", 3)}
    assert down["stabilizationWindowSeconds"] >= 300
    assert [(policy["type"], policy["value"], policy["periodSeconds"]) for policy in down["policies"]] == [
        ("Pods", 1, 60)
    ]


@every_stack
def test_scaling_on_cpu_has_a_request_to_compare_with(stack: str) -> None:
    metrics = one(objects(stack), "HorizontalPodAutoscaler", "api")["spec"]["metrics"]
    kind = "ContainerResource" if values_of(stack).get("mesh") else "Resource"
    assert [metric[kind[0].lower() + kind[1:]]["name"] for metric in metrics if metric["type"] == kind] == ["cpu"]
    assert server(stack)["resources"]["requests"]["cpu"]


@every_stack
def test_a_rollout_takes_no_pod_away_before_its_successor_is_ready_and_a_quarter_of_them_at_a_time(stack: str) -> None:
    deployments = [found["spec"] for found in objects(stack) if found["kind"] == "Deployment"]
    assert deployments
    for spec in deployments:
        assert spec["strategy"] == {
            "type": "RollingUpdate",
            "rollingUpdate": {"maxSurge": f"{SURGE:.0%}", "maxUnavailable": 0},
        }
        assert 1 <= spec["minReadySeconds"] <= 10


@every_stack
def test_one_process_serves_what_the_release_is_for(stack: str) -> None:
    assert server(stack)["name"] == "api"
    assert server(stack)["args"] == ["serve", "--service", values_of(stack)["apiService"]]
    assert "command" not in server(stack)


@every_stack
def test_liveness_asks_the_process_and_readiness_the_database(stack: str) -> None:
    container = server(stack)
    paths = {probe: container[f"{probe}Probe"]["httpGet"]["path"] for probe in ("startup", "liveness", "readiness")}
    assert paths == {"startup": "/health/live", "liveness": "/health/live", "readiness": "/health/ready"}
    assert {container[f"{probe}Probe"]["httpGet"]["port"] for probe in paths} == {container["ports"][0]["name"]}


@every_stack
def test_a_busy_pod_leaves_the_endpoints_long_before_it_is_restarted(stack: str) -> None:
    container = server(stack)
    patience = {
        probe: container[probe]["periodSeconds"] * container[probe]["failureThreshold"]
        for probe in ("livenessProbe", "readinessProbe")
    }
    assert patience["livenessProbe"] >= 3 * patience["readinessProbe"]


@every_stack
def test_every_pod_has_three_minutes_to_start_and_the_rollout_waits_longer(stack: str) -> None:
    deployments = [found["spec"] for found in objects(stack) if found["kind"] == "Deployment"]
    for spec in deployments:
        [container] = spec["template"]["spec"]["containers"]
        seconds = container["startupProbe"]["periodSeconds"] * container["startupProbe"]["failureThreshold"]
        assert 180 <= seconds < spec["progressDeadlineSeconds"]
    assert deployments


@every_stack
def test_a_stopping_pod_has_time_for_its_drain(stack: str) -> None:
    container = server(stack)
    *drain, seconds = container["lifecycle"]["preStop"]["exec"]["command"]
    assert drain == ["python", "-m", "app", "drain", "--seconds"]
    environment = {variable["name"]: variable.get("value") for variable in container["env"]}
    grace = one(objects(stack), "Deployment", "api")["spec"]["template"]["spec"]["terminationGracePeriodSeconds"]
    assert int(seconds) + int(environment["APP_GRACEFUL_TIMEOUT"]) < grace


@every_stack
def test_the_values_of_the_drain_reach_the_pod(stack: str) -> None:
    drain = {"sleepSeconds": 7, "gracefulTimeoutSeconds": 50, "terminationGracePeriodSeconds": 58}
    pod = one(manifests(render({**values_of(stack), "drain": drain})), "Deployment", "api")["spec"]["template"]["spec"]
    [container] = pod["containers"]
    assert container["lifecycle"]["preStop"]["exec"]["command"][-1] == "7"
    assert {"name": "APP_GRACEFUL_TIMEOUT", "value": "50"} in container["env"]
    assert pod["terminationGracePeriodSeconds"] == 58


@every_stack
def test_every_pod_meets_the_restricted_pod_security_standard(stack: str) -> None:
    """By https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted, and a read-only root."""
    kinds = set()
    for kind, _, spec in pod_specs(objects(stack)):
        kinds.add(kind)
        assert not {"hostNetwork", "hostPID", "hostIPC"} & spec.keys()
        assert spec["automountServiceAccountToken"] is False
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        allowed = {"emptyDir", "persistentVolumeClaim", "configMap", "secret"}
        assert all(volume.keys() & allowed for volume in spec.get("volumes", []))
        for container in spec["containers"] + spec.get("initContainers", []):
            context = container["securityContext"]
            assert context["allowPrivilegeEscalation"] is False
            assert context["readOnlyRootFilesystem"] is True
            assert context["runAsNonRoot"] is True
            assert (context["runAsUser"], context["runAsGroup"]) == (10001, 10001)
            assert context["capabilities"] == {"drop": ["ALL"]}
            assert not context.get("privileged")
            assert not any("hostPort" in port for port in container.get("ports", []))
    assert kinds == {"Deployment", "Job", "Pod"}


@every_stack
def test_every_container_states_what_it_needs_and_what_it_may_use(stack: str) -> None:
    for _, _, spec in pod_specs(objects(stack)):
        for container in spec["containers"]:
            for side in ("requests", "limits"):
                assert container["resources"][side].keys() == {"cpu", "memory", "ephemeral-storage"}
            assert container["resources"]["requests"]["memory"] == container["resources"]["limits"]["memory"]
        for volume in spec["volumes"]:
            assert "emptyDir" not in volume or volume["emptyDir"]["sizeLimit"]


def test_by_default_too_a_pod_asks_for_the_memory_that_it_may_use() -> None:
    for _, _, spec in pod_specs(manifests(render({}))):
        [container] = spec["containers"]
        assert container["resources"]["requests"]["memory"] == container["resources"]["limits"]["memory"]


@every_stack
def test_every_pod_runs_the_one_image_of_the_stack(stack: str) -> None:
    images = {container["image"] for _, _, spec in pod_specs(objects(stack)) for container in spec["containers"]}
    assert images == {STACKS[stack][1]}


def test_a_digest_wins_over_a_tag() -> None:
    digest = f"sha256:{'ab' * 32}"
    found = manifests(render({"image": {"repository": "example.org/tasks", "tag": "1.2.3", "digest": digest}}))
    assert {c["image"] for _, _, spec in pod_specs(found) for c in spec["containers"]} == {
        f"example.org/tasks@{digest}"
    }


@pytest.mark.parametrize("stack", ["phase1", "phase2-carrying"])
def test_every_pod_pulls_its_image_by_the_secrets_that_are_named(stack: str) -> None:
    values = values_of(stack)
    values["image"]["pullSecrets"] = ["registry", "mirror"]
    for kind, _, spec in pod_specs(manifests(render(values))):
        assert spec.get("imagePullSecrets") == [{"name": "registry"}, {"name": "mirror"}], kind
    assert all("imagePullSecrets" not in spec for _, _, spec in pod_specs(objects(stack)))


@every_stack
def test_only_a_secret_that_may_be_missing_lets_a_pod_start_without_it(stack: str) -> None:
    references = {
        variable["name"]: variable["valueFrom"]["secretKeyRef"]
        for variable in server(stack)["env"]
        if "valueFrom" in variable
    }
    may_be_missing = {name for name, reference in references.items() if reference.get("optional")}
    # Without it there are no notices of bounces.
    of_mail = {"APP_BOUNCE_PASSWORD"} if stack == "phase2-mail" else set()
    assert may_be_missing == {"APP_SECRET_KEYS_ACCEPTED", *of_mail}


@every_stack
def test_pods_prefer_different_hosts_and_zones_but_never_wait_for_them(stack: str) -> None:
    deployments = {each["metadata"]["name"]: each["spec"] for each in objects(stack) if each["kind"] == "Deployment"}
    for name, deployment in deployments.items():
        if name.endswith("-beat"):
            assert deployment["replicas"] == 1
            continue
        constraints = deployment["template"]["spec"]["topologySpreadConstraints"]
        assert {constraint["topologyKey"] for constraint in constraints} == {
            "kubernetes.io/hostname",
            "topology.kubernetes.io/zone",
        }
        for constraint in constraints:
            assert constraint["whenUnsatisfiable"] == "ScheduleAnyway"
            assert constraint["labelSelector"] == deployment["selector"]


@every_stack
def test_a_node_can_be_drained(stack: str) -> None:
    budget = one(objects(stack), "PodDisruptionBudget", "api")["spec"]
    assert budget["maxUnavailable"] == 1
    assert "minAvailable" not in budget
    assert budget["unhealthyPodEvictionPolicy"] == "AlwaysAllow"
    assert budget["selector"] == one(objects(stack), "Deployment", "api")["spec"]["selector"]


def test_pods_that_mount_the_volume_go_to_its_node_and_the_first_may_go_anywhere() -> None:
    users: list[tuple[dict[str, str], dict[str, Any]]] = [
        (labels, spec)
        for _, labels, spec in pod_specs(objects("phase1"))
        if any("persistentVolumeClaim" in volume for volume in spec["volumes"])
    ]
    assert {labels["app.kubernetes.io/component"] for labels, _ in users} == {"api", "migrations"}
    for labels, spec in users:
        [term] = spec["affinity"]["podAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
        assert term["topologyKey"] == "kubernetes.io/hostname"
        # Kubernetes lets a pod that matches its own rule be the first.
        assert term["labelSelector"]["matchLabels"].items() <= labels.items()
        # It matches none that does without the volume: a pod need not be where those are.
        assert "task-manager/volume" in term["labelSelector"]["matchLabels"]


@pytest.mark.parametrize("stack", ["phase1-postgresql", "phase2"])
def test_without_a_volume_pods_go_anywhere(stack: str) -> None:
    assert all("affinity" not in spec for _, _, spec in pod_specs(objects(stack)))


def test_prometheus_finds_the_metrics_by_annotation() -> None:
    annotations = one(objects("phase2"), "Deployment", "api")["spec"]["template"]["metadata"]["annotations"]
    assert annotations["prometheus.io/scrape"] == "true"
    http, metrics = server("phase2")["ports"]
    assert (http["name"], metrics["name"]) == ("http", "metrics")
    assert annotations["prometheus.io/port"] == str(metrics["containerPort"]) == str(names.API_METRICS_PORT)
    assert annotations["prometheus.io/path"] == "/metrics"
