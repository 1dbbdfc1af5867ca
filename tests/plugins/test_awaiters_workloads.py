"""Readiness of workloads, Services, claims and definitions, by the rules of kubectl and the official provider."""

import pytest

from local.plugins.kubernetes_provider.awaiters import (
    custom_resource_definition,
    daemonset,
    deployment,
    job,
    persistent_volume_claim,
    pod,
    statefulset,
)
from local.plugins.kubernetes_provider.awaiters.readiness import Readiness
from local.plugins.kubernetes_provider.awaiters.service import SETTLE_SECONDS, ServiceRule
from local.plugins.kubernetes_provider.objects import Object
from tests.plugins.fakes import RecordedLookups


def workload(status: Object, *, replicas: int = 3, generation: int = 2, **spec: object) -> Object:
    """Make a workload whose controller has seen its newest generation."""
    return {
        "metadata": {"name": "api", "namespace": "shop", "generation": generation},
        "spec": {"replicas": replicas, "selector": {"matchLabels": {"app": "api"}}, **spec},
        "status": {"observedGeneration": generation, **status},
    }


def assess_deployment(status: Object, lookups: RecordedLookups | None = None, **options: object) -> Readiness:
    """Assess a Deployment of this status."""
    return deployment.assess(workload(status, **options), lookups or RecordedLookups())  # type: ignore[arg-type]


def test_a_deployment_is_ready_when_every_new_pod_is_available_and_the_old_are_gone() -> None:
    readiness = assess_deployment({"replicas": 3, "updatedReplicas": 3, "availableReplicas": 3})
    assert readiness.done
    assert readiness.message == "Deployment initialization complete"


def test_a_deployment_reports_how_many_pods_are_available() -> None:
    readiness = assess_deployment({"replicas": 3, "updatedReplicas": 3, "availableReplicas": 1})
    assert not readiness.done
    assert readiness.message == "[1/2] Waiting for app ReplicaSet to be available (1/3 Pods available)"


def test_old_pods_that_are_still_available_do_not_count() -> None:
    readiness = assess_deployment({"replicas": 4, "updatedReplicas": 1, "availableReplicas": 3})
    assert "(0/3 Pods available)" in readiness.message


def test_a_deployment_whose_old_pods_are_still_there_is_not_ready() -> None:
    readiness = assess_deployment({"replicas": 4, "updatedReplicas": 3, "availableReplicas": 4})
    assert not readiness.done
    assert readiness.message.startswith("[2/2]")


def test_a_deployment_whose_controller_is_behind_is_not_ready() -> None:
    live = workload({"replicas": 3, "updatedReplicas": 3, "availableReplicas": 3})
    live["status"]["observedGeneration"] = 1
    assert not deployment.assess(live, RecordedLookups()).done


def test_a_deployment_of_no_pods_is_ready() -> None:
    assert assess_deployment({}, replicas=0).done


def test_a_deployment_past_its_progress_deadline_has_failed() -> None:
    late = {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded", "message": "too late"}
    readiness = assess_deployment({"replicas": 3, "updatedReplicas": 3, "conditions": [late]})
    assert readiness.failed
    assert readiness.problems == ("too late",)


def test_a_replica_failure_is_reported() -> None:
    message = 'pods "api-x" is forbidden: exceeded quota: compute, requested: limits.cpu=2, limited: limits.cpu=1'
    refused = {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": message}
    assert assess_deployment({"conditions": [refused]}).problems == (f"no Pod can be made: {message}",)


def test_only_pods_of_the_newest_replica_set_are_reported() -> None:
    def failing(name: str, template: str, created: str, image: str) -> Object:
        waiting = {"reason": "ErrImagePull", "message": "not found"}
        status = {"containerStatuses": [{"name": "c", "image": image, "state": {"waiting": waiting}}]}
        labels = {"pod-template-hash": template}
        return {"metadata": {"name": name, "labels": labels, "creationTimestamp": created}, "status": status}

    pods = [failing("old", "1", "2026-01-01T00:00:00Z", "old:1"), failing("new", "2", "2026-01-02T00:00:00Z", "new:2")]
    problems = assess_deployment({"replicas": 1}, RecordedLookups(pod_list=pods)).problems
    assert len(problems) == 1
    assert "new:2" in problems[0]


@pytest.mark.parametrize("turned", [False, True])
def test_of_two_replica_sets_of_one_second_the_one_of_the_template_is_newest(turned: bool) -> None:
    def pod(image: str) -> Object:
        metadata = {"labels": {"pod-template-hash": image}, "creationTimestamp": "2026-01-01T00:00:00Z"}
        return {"metadata": metadata, "spec": {"containers": [{"image": image}]}}

    live = {"spec": {"template": {"spec": {"containers": [{"image": "new:2"}]}}}}
    pods = [pod("old:1"), pod("new:2")]
    assert deployment.newest(live, pods[::-1] if turned else pods) == [pod("new:2")]


def test_a_stateful_set_reports_its_pods_and_is_ready_with_all_of_them() -> None:
    readiness = statefulset.assess(workload({"replicas": 2, "readyReplicas": 1}, generation=1), RecordedLookups())
    assert readiness.message == "[1/2] Waiting for StatefulSet to create Pods (1/3 Pods ready)"
    done = {"replicas": 3, "readyReplicas": 3, "updatedReplicas": 3}
    assert statefulset.assess(workload(done), RecordedLookups()).done


def test_a_stateful_set_with_old_pods_is_still_rolling_out() -> None:
    readiness = statefulset.assess(
        workload({"replicas": 3, "readyReplicas": 3, "updatedReplicas": 1}), RecordedLookups()
    )
    assert readiness.message == "[2/3] Waiting for StatefulSet to roll out its revision (1/3 Pods updated)"


@pytest.mark.parametrize(
    "strategy", [{"type": "OnDelete"}, {"type": "RollingUpdate", "rollingUpdate": {"partition": 2}}]
)
def test_a_stateful_set_waits_only_for_the_pods_that_its_strategy_updates(strategy: Object) -> None:
    live = workload({"replicas": 3, "readyReplicas": 3, "updatedReplicas": 1}, updateStrategy=strategy)
    assert statefulset.assess(live, RecordedLookups()).done


def test_a_daemon_set_is_ready_on_every_node() -> None:
    status = {"desiredNumberScheduled": 2, "updatedNumberScheduled": 2, "numberAvailable": 1}
    readiness = daemonset.assess(workload(status), RecordedLookups())
    assert readiness.message == "[1/2] Waiting for DaemonSet to be available (1/2 Pods available)"
    assert daemonset.assess(workload({**status, "numberAvailable": 2}), RecordedLookups()).done


def test_a_job_is_ready_when_it_has_completed() -> None:
    running = {"startTime": "2026-01-01T00:00:00Z", "active": 1, "failed": 1}
    readiness = job.assess(workload(running), RecordedLookups())
    assert readiness.message == 'Waiting for Job "shop/api" to succeed (Active: 1 | Succeeded: 0 | Failed: 1)'
    complete = {"conditions": [{"type": "Complete", "status": "True"}]}
    assert job.assess(workload(complete), RecordedLookups()).done


def test_a_job_that_has_failed_is_reported_with_its_reason() -> None:
    failed = {"type": "Failed", "status": "True", "reason": "BackoffLimitExceeded", "message": "too many"}
    readiness = job.assess(workload({"conditions": [failed]}), RecordedLookups())
    assert readiness.failed
    assert readiness.problems[0] == "Job shop/api has failed: [BackoffLimitExceeded] too many"


def test_a_suspended_job_is_not_waited_for() -> None:
    assert job.assess(workload({}, suspend=True), RecordedLookups()).done


@pytest.mark.parametrize(
    ("status", "done", "failed"),
    [
        ({"phase": "Pending"}, False, False),
        ({"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}, True, False),
        ({"phase": "Succeeded"}, True, False),
        ({"phase": "Failed"}, False, True),
    ],
)
def test_a_pod_is_ready_when_it_says_so_or_has_ended_well(status: Object, *, done: bool, failed: bool) -> None:
    readiness = pod.assess({"metadata": {"name": "p"}, "status": status}, RecordedLookups())
    assert (readiness.done, readiness.failed) == (done, failed)


def service(**spec: object) -> Object:
    """Make a Service."""
    return {"metadata": {"name": "api"}, "spec": {"selector": {"app": "api"}, "clusterIP": "10.0.0.1", **spec}}


def endpoints(*states: bool) -> list[Object]:
    """Make the EndpointSlice of pods that are ready or not."""
    return [{"endpoints": [{"conditions": {"ready": ready}} for ready in states]}]


def test_a_service_waits_for_pods_to_direct_traffic_to() -> None:
    lookups = RecordedLookups(pod_list=[{"metadata": {"name": "p"}}])
    readiness = ServiceRule()(service(), lookups)
    assert (readiness.done, readiness.message) == (False, "[1/3] Finding Pods to direct traffic to")
    lookups.slices = endpoints(True, False)
    assert not ServiceRule()(service(), lookups).done
    lookups.slices = endpoints(True, True)
    assert ServiceRule()(service(), lookups).done


@pytest.mark.parametrize("spec", [{"clusterIP": "None"}, {"type": "ExternalName"}, {"selector": {}}])
def test_a_service_that_directs_no_traffic_itself_is_ready_at_once(spec: Object) -> None:
    assert ServiceRule()(service(**spec), RecordedLookups()).done


def test_a_service_of_no_pods_is_ready_after_a_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    rule = ServiceRule()
    assert not rule(service(), RecordedLookups()).done
    monkeypatch.setattr(rule, "_began", rule._began - SETTLE_SECONDS)
    assert rule(service(), RecordedLookups()).done


def test_a_load_balancer_waits_for_its_address() -> None:
    lookups = RecordedLookups(slices=endpoints(True))
    live = service(type="LoadBalancer")
    assert ServiceRule()(live, lookups).message == "[2/3] Attempting to allocate IP address to Service"
    live["status"] = {"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}]}}
    assert ServiceRule()(live, lookups).done


def test_a_claim_waits_to_be_bound_unless_its_class_waits_for_a_consumer() -> None:
    live = {"metadata": {"name": "data"}, "spec": {"storageClassName": "fast"}, "status": {"phase": "Pending"}}
    failed = {"type": "Warning", "message": "no volume plugin matched"}
    lookups = RecordedLookups(event_lists={"data": [failed]}, classes={"fast": {"volumeBindingMode": "Immediate"}})
    readiness = persistent_volume_claim.assess(live, lookups)
    assert not readiness.done
    assert readiness.problems == ("PersistentVolumeClaim is not bound: no volume plugin matched",)
    lookups.classes["fast"]["volumeBindingMode"] = "WaitForFirstConsumer"
    assert persistent_volume_claim.assess(live, lookups).done
    assert persistent_volume_claim.assess({**live, "status": {"phase": "Bound"}}, RecordedLookups()).done


def test_a_definition_is_ready_when_it_is_served() -> None:
    live = {"status": {"conditions": [{"type": "Established", "status": "True"}]}}
    assert custom_resource_definition.assess(live, RecordedLookups()).done
    assert not custom_resource_definition.assess({}, RecordedLookups()).done
    refused = {"type": "NamesAccepted", "status": "False", "message": "plural is taken"}
    assert custom_resource_definition.assess({"status": {"conditions": [refused]}}, RecordedLookups()).failed
