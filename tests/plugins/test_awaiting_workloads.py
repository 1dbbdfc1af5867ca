"""Workloads are ready by kubectl's rules, and tell their progress as the official provider does."""

import pytest

from local.plugins.kubernetes_provider.awaiting import claim, daemonset, definition, deployment, job, pod, statefulset
from local.plugins.kubernetes_provider.awaiting.service import SETTLE_SECONDS, ServiceRule
from local.plugins.kubernetes_provider.awaiting.verdict import Verdict
from local.plugins.kubernetes_provider.objects import Object
from tests.plugins.fakes import Recorded


def workload(status: Object, *, replicas: int = 3, generation: int = 2, **spec: object) -> Object:
    """Make a workload whose controller has seen its newest generation."""
    return {
        "metadata": {"name": "api", "namespace": "shop", "generation": generation},
        "spec": {"replicas": replicas, "selector": {"matchLabels": {"app": "api"}}, **spec},
        "status": {"observedGeneration": generation, **status},
    }


def look_at_deployment(status: Object, around: Recorded | None = None, **options: object) -> Verdict:
    """Look at a Deployment."""
    return deployment.assess(workload(status, **options), around or Recorded())  # type: ignore[arg-type]


def test_a_deployment_is_ready_when_every_new_pod_is_available_and_the_old_are_gone() -> None:
    verdict = look_at_deployment({"replicas": 3, "updatedReplicas": 3, "availableReplicas": 3})
    assert verdict.done
    assert verdict.message == "Deployment initialization complete"


def test_a_deployment_tells_how_many_pods_are_available() -> None:
    verdict = look_at_deployment({"replicas": 3, "updatedReplicas": 3, "availableReplicas": 1})
    assert not verdict.done
    assert verdict.message == "[1/2] Waiting for app ReplicaSet to be available (1/3 Pods available)"


def test_old_pods_that_are_still_available_do_not_count() -> None:
    verdict = look_at_deployment({"replicas": 4, "updatedReplicas": 1, "availableReplicas": 3})
    assert "(0/3 Pods available)" in verdict.message


def test_a_deployment_whose_old_pods_are_still_there_is_not_ready() -> None:
    verdict = look_at_deployment({"replicas": 4, "updatedReplicas": 3, "availableReplicas": 4})
    assert not verdict.done
    assert verdict.message.startswith("[2/2]")


def test_a_deployment_whose_controller_is_behind_is_not_ready() -> None:
    live = workload({"replicas": 3, "updatedReplicas": 3, "availableReplicas": 3})
    live["status"]["observedGeneration"] = 1
    assert not deployment.assess(live, Recorded()).done


def test_a_deployment_of_no_pods_is_ready() -> None:
    assert look_at_deployment({}, replicas=0).done


def test_a_deployment_past_its_own_deadline_is_given_up() -> None:
    late = {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded", "message": "too late"}
    verdict = look_at_deployment({"replicas": 3, "updatedReplicas": 3, "conditions": [late]})
    assert verdict.hopeless
    assert verdict.problems == ("too late",)


def test_a_refusal_of_pods_is_told() -> None:
    message = 'pods "api-x" is forbidden: exceeded quota: compute, requested: limits.cpu=2, limited: limits.cpu=1'
    refused = {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": message}
    assert look_at_deployment({"conditions": [refused]}).problems == (f"no Pod can be made: {message}",)


def test_only_pods_of_the_newest_replica_set_are_told_about() -> None:
    def failing(name: str, template: str, created: str, image: str) -> Object:
        waiting = {"reason": "ErrImagePull", "message": "not found"}
        status = {"containerStatuses": [{"name": "c", "image": image, "state": {"waiting": waiting}}]}
        labels = {"pod-template-hash": template}
        return {"metadata": {"name": name, "labels": labels, "creationTimestamp": created}, "status": status}

    pods = [failing("old", "1", "2026-01-01T00:00:00Z", "old:1"), failing("new", "2", "2026-01-02T00:00:00Z", "new:2")]
    told = look_at_deployment({"replicas": 1}, Recorded(pod_list=pods)).problems
    assert len(told) == 1
    assert "new:2" in told[0]


@pytest.mark.parametrize("turned", [False, True])
def test_of_two_replica_sets_of_one_second_the_one_of_the_template_is_newest(turned: bool) -> None:
    def pod(image: str) -> Object:
        metadata = {"labels": {"pod-template-hash": image}, "creationTimestamp": "2026-01-01T00:00:00Z"}
        return {"metadata": metadata, "spec": {"containers": [{"image": image}]}}

    live = {"spec": {"template": {"spec": {"containers": [{"image": "new:2"}]}}}}
    pods = [pod("old:1"), pod("new:2")]
    assert deployment.newest(live, pods[::-1] if turned else pods) == [pod("new:2")]


def test_a_stateful_set_tells_its_pods_and_is_ready_with_all_of_them() -> None:
    verdict = statefulset.assess(workload({"replicas": 2, "readyReplicas": 1}, generation=1), Recorded())
    assert verdict.message == "[1/2] Waiting for StatefulSet to create Pods (1/3 Pods ready)"
    done = {"replicas": 3, "readyReplicas": 3, "updatedReplicas": 3}
    assert statefulset.assess(workload(done), Recorded()).done


def test_a_stateful_set_with_old_pods_is_still_rolling_out() -> None:
    verdict = statefulset.assess(workload({"replicas": 3, "readyReplicas": 3, "updatedReplicas": 1}), Recorded())
    assert verdict.message == "[2/3] Waiting for StatefulSet to roll out its revision (1/3 Pods updated)"


@pytest.mark.parametrize(
    "strategy", [{"type": "OnDelete"}, {"type": "RollingUpdate", "rollingUpdate": {"partition": 2}}]
)
def test_a_stateful_set_waits_only_for_the_pods_that_its_strategy_updates(strategy: Object) -> None:
    live = workload({"replicas": 3, "readyReplicas": 3, "updatedReplicas": 1}, updateStrategy=strategy)
    assert statefulset.assess(live, Recorded()).done


def test_a_daemon_set_is_ready_on_every_node() -> None:
    status = {"desiredNumberScheduled": 2, "updatedNumberScheduled": 2, "numberAvailable": 1}
    verdict = daemonset.assess(workload(status), Recorded())
    assert verdict.message == "[1/2] Waiting for DaemonSet to be available (1/2 Pods available)"
    assert daemonset.assess(workload({**status, "numberAvailable": 2}), Recorded()).done


def test_a_job_is_ready_when_it_has_completed() -> None:
    running = {"startTime": "2026-01-01T00:00:00Z", "active": 1, "failed": 1}
    verdict = job.assess(workload(running), Recorded())
    assert verdict.message == 'Waiting for Job "shop/api" to succeed (Active: 1 | Succeeded: 0 | Failed: 1)'
    complete = {"conditions": [{"type": "Complete", "status": "True"}]}
    assert job.assess(workload(complete), Recorded()).done


def test_a_job_that_has_failed_is_given_up_with_its_reason() -> None:
    failed = {"type": "Failed", "status": "True", "reason": "BackoffLimitExceeded", "message": "too many"}
    verdict = job.assess(workload({"conditions": [failed]}), Recorded())
    assert verdict.hopeless
    assert verdict.problems[0] == "Job shop/api has failed: [BackoffLimitExceeded] too many"


def test_a_suspended_job_is_not_waited_for() -> None:
    assert job.assess(workload({}, suspend=True), Recorded()).done


@pytest.mark.parametrize(
    ("status", "done", "hopeless"),
    [
        ({"phase": "Pending"}, False, False),
        ({"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}, True, False),
        ({"phase": "Succeeded"}, True, False),
        ({"phase": "Failed"}, False, True),
    ],
)
def test_a_pod_is_ready_when_it_says_so_or_has_ended_well(status: Object, *, done: bool, hopeless: bool) -> None:
    verdict = pod.assess({"metadata": {"name": "p"}, "status": status}, Recorded())
    assert (verdict.done, verdict.hopeless) == (done, hopeless)


def service(**spec: object) -> Object:
    """Make a Service."""
    return {"metadata": {"name": "api"}, "spec": {"selector": {"app": "api"}, "clusterIP": "10.0.0.1", **spec}}


def endpoints(*states: bool) -> list[Object]:
    """Make the EndpointSlice of pods that are ready or not."""
    return [{"endpoints": [{"conditions": {"ready": ready}} for ready in states]}]


def test_a_service_waits_for_pods_to_direct_traffic_to() -> None:
    around = Recorded(pod_list=[{"metadata": {"name": "p"}}])
    verdict = ServiceRule()(service(), around)
    assert (verdict.done, verdict.message) == (False, "[1/3] Finding Pods to direct traffic to")
    around.slices = endpoints(True, False)
    assert not ServiceRule()(service(), around).done
    around.slices = endpoints(True, True)
    assert ServiceRule()(service(), around).done


@pytest.mark.parametrize("spec", [{"clusterIP": "None"}, {"type": "ExternalName"}, {"selector": {}}])
def test_a_service_that_directs_no_traffic_itself_is_ready_at_once(spec: Object) -> None:
    assert ServiceRule()(service(**spec), Recorded()).done


def test_a_service_of_no_pods_is_ready_after_a_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    rule = ServiceRule()
    assert not rule(service(), Recorded()).done
    monkeypatch.setattr(rule, "_began", rule._began - SETTLE_SECONDS)
    assert rule(service(), Recorded()).done


def test_a_load_balancer_waits_for_its_address() -> None:
    around = Recorded(slices=endpoints(True))
    live = service(type="LoadBalancer")
    assert ServiceRule()(live, around).message == "[2/3] Attempting to allocate IP address to Service"
    live["status"] = {"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}]}}
    assert ServiceRule()(live, around).done


def test_a_claim_waits_to_be_bound_unless_its_class_waits_for_a_consumer() -> None:
    live = {"metadata": {"name": "data"}, "spec": {"storageClassName": "fast"}, "status": {"phase": "Pending"}}
    failed = {"type": "Warning", "message": "no volume plugin matched"}
    around = Recorded(event_lists={"data": [failed]}, classes={"fast": {"volumeBindingMode": "Immediate"}})
    verdict = claim.assess(live, around)
    assert not verdict.done
    assert verdict.problems == ("PersistentVolumeClaim is not bound: no volume plugin matched",)
    around.classes["fast"]["volumeBindingMode"] = "WaitForFirstConsumer"
    assert claim.assess(live, around).done
    assert claim.assess({**live, "status": {"phase": "Bound"}}, Recorded()).done


def test_a_definition_is_ready_when_it_is_served() -> None:
    live = {"status": {"conditions": [{"type": "Established", "status": "True"}]}}
    assert definition.assess(live, Recorded()).done
    assert not definition.assess({}, Recorded()).done
    refused = {"type": "NamesAccepted", "status": "False", "message": "plural is taken"}
    assert definition.assess({"status": {"conditions": [refused]}}, Recorded()).hopeless
