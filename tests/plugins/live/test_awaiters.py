"""Readiness is awaited on a real API server with its controllers; the tests write what a kubelet would."""

import threading
import time

import pytest

from local.plugins.kubernetes_provider.client import MERGE_PATCH, Client
from local.plugins.kubernetes_provider.create import InitFailedError
from local.plugins.kubernetes_provider.objects import Object
from local.plugins.kubernetes_provider.values import plain
from tests.plugins.live.objects import (
    deployment,
    kubelet,
    pods,
    ready_status,
    wait_for,
    waiting_status,
    with_annotations,
)
from tests.plugins.live.resources import Made, Resources


def failure(resources: Resources, obj: Object) -> InitFailedError:
    """Make an object that does not become ready, and give what is told about it."""
    with pytest.raises(InitFailedError) as caught:
        resources.create(obj)
    return caught.value


def test_a_deployment_is_awaited_with_its_progress(resources: Resources, client: Client, namespace: str) -> None:
    waiting = "[1/2] Waiting for app ReplicaSet to be available (0/2 Pods available)"
    with kubelet(client, namespace, lambda _: ready_status() if waiting in resources.heard.statuses else None):
        made = resources.create(deployment(namespace, replicas=2))
    assert plain(made.state)["status"]["availableReplicas"] == 2
    assert resources.heard.statuses[-1] == "Deployment initialization complete"


def test_an_image_that_cannot_be_pulled_is_named_and_the_deployment_kept_for_repair(
    resources: Resources, client: Client, namespace: str
) -> None:
    resources.timeout = 3
    broken = waiting_status("ErrImagePull", "example.org/api:none: not found", "example.org/api:none")
    with kubelet(client, namespace, lambda _: broken):
        error = failure(resources, deployment(namespace, image="example.org/api:none"))
    assert "was not ready after 3 s: [1/2] Waiting for app ReplicaSet" in error.reasons[0]
    assert "image example.org/api:none of container api cannot be pulled (ErrImagePull)" in error.reasons[1]
    assert error.identity == f"{namespace}/api"
    # The next update starts from the kept state and repairs it.
    resources.timeout = 30
    resource, _ = resources.check(deployment(namespace))
    kept = Made(type(resource)("urn", resource.token, "thing", error.identity, 30), error.inputs, error.state)
    with kubelet(client, namespace, lambda _: ready_status()):
        repaired = resources.update(kept, deployment(namespace))
    assert plain(repaired.state)["status"]["availableReplicas"] == 1


def test_pods_that_the_namespace_rejects_are_reported(resources: Resources, client: Client, namespace: str) -> None:
    resources.timeout = 3
    label = {"metadata": {"labels": {"pod-security.kubernetes.io/enforce": "restricted"}}}
    client.request("PATCH", f"/api/v1/namespaces/{namespace}", body=label, content_type=MERGE_PATCH)
    error = failure(resources, deployment(namespace))
    assert 'violates PodSecurity "restricted:latest"' in error.reasons[1]


def test_pods_beyond_the_quota_are_reported(resources: Resources, client: Client, namespace: str) -> None:
    resources.timeout = 3
    quota = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "none"}, "spec": {"hard": {"pods": "0"}}}
    client.request("POST", f"/api/v1/namespaces/{namespace}/resourcequotas", body=quota)
    path = f"/api/v1/namespaces/{namespace}/resourcequotas/none"
    wait_for(lambda: "hard" in client.get(path).get("status", {}), "the quota's controller")
    error = failure(resources, deployment(namespace))
    assert "exceeded quota: none" in error.reasons[1]


def test_a_stateful_set_that_may_make_no_pod_says_why(resources: Resources, client: Client, namespace: str) -> None:
    resources.timeout = 3
    label = {"metadata": {"labels": {"pod-security.kubernetes.io/enforce": "restricted"}}}
    client.request("PATCH", f"/api/v1/namespaces/{namespace}", body=label, content_type=MERGE_PATCH)
    obj = deployment(namespace, serviceName="api")
    obj["kind"] = "StatefulSet"
    error = failure(resources, obj)
    assert "[1/2] Waiting for StatefulSet to create Pods (0/1 Pods ready)" in error.reasons[0]
    assert 'violates PodSecurity "restricted:latest"' in error.reasons[1]


def test_a_job_that_fails_ends_the_wait(resources: Resources, client: Client, namespace: str) -> None:
    ended = {"terminated": {"exitCode": 3, "reason": "Error", "finishedAt": "2026-01-01T00:00:00Z"}}
    status = {"name": "api", "image": "x", "imageID": "", "ready": False, "restartCount": 0, "state": ended}
    template = deployment(namespace)["spec"]["template"]
    template["spec"]["restartPolicy"] = "Never"
    obj = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": "migrate", "namespace": namespace},
        "spec": {"backoffLimit": 0, "template": template},
    }
    began = time.monotonic()
    with kubelet(client, namespace, lambda _: {"phase": "Failed", "containerStatuses": [status]}):
        error = failure(resources, obj)
    assert time.monotonic() - began < resources.timeout / 2
    assert f"Job {namespace}/migrate has failed: [BackoffLimitExceeded]" in error.reasons[0]
    assert any("container api ends with exit code 3" in text for text in error.reasons)


def test_a_job_out_of_time_tells_what_was_wrong_with_its_pods(
    resources: Resources, client: Client, namespace: str
) -> None:
    message = "0/1 nodes are available: 1 Insufficient ephemeral-storage."
    unscheduled = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message}
    template = deployment(namespace)["spec"]["template"]
    template["spec"]["restartPolicy"] = "Never"
    obj = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": "keys", "namespace": namespace},
        "spec": {"activeDeadlineSeconds": 4, "template": template},
    }
    with kubelet(client, namespace, lambda _: {"phase": "Pending", "conditions": [unscheduled]}):
        error = failure(resources, obj)
    assert f"Job {namespace}/keys has failed: [DeadlineExceeded]" in error.reasons[0]
    assert error.reasons[1].endswith(f"no node can take it: {message}")


def test_a_service_waits_for_a_ready_pod(resources: Resources, client: Client, namespace: str) -> None:
    resources.create(with_annotations(deployment(namespace), skipAwait="true"))
    wait_for(lambda: len(pods(client, namespace)) == 1, "the pod")
    obj = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "api", "namespace": namespace},
        "spec": {"selector": {"app": "api"}, "ports": [{"port": 80}]},
    }
    resources.timeout = 2
    assert "[1/3] Finding Pods to direct traffic to" in failure(resources, obj).reasons[0]
    client.request("DELETE", f"/api/v1/namespaces/{namespace}/services/api")
    # The pod is on no node, so the cluster's own controller would leave it out.
    client.request(
        "POST",
        f"/apis/discovery.k8s.io/v1/namespaces/{namespace}/endpointslices",
        body={
            "apiVersion": "discovery.k8s.io/v1",
            "kind": "EndpointSlice",
            "metadata": {"name": "api-1", "labels": {"kubernetes.io/service-name": "api"}},
            "addressType": "IPv4",
            "endpoints": [{"addresses": ["10.0.0.9"], "conditions": {"ready": True}}],
        },
    )
    resources.create(obj)
    assert resources.heard.statuses[-1] == "Service initialization complete"


def test_a_claim_is_not_awaited_when_its_class_waits_for_a_consumer(
    resources: Resources, client: Client, namespace: str
) -> None:
    name = f"late-{namespace}"
    path = "/apis/storage.k8s.io/v1/storageclasses"
    storage_class = {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": name},
        "provisioner": "kubernetes.io/no-provisioner",
        "volumeBindingMode": "WaitForFirstConsumer",
    }
    client.request("POST", path, body=storage_class)
    claim = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "data", "namespace": namespace},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "storageClassName": name,
            "resources": {"requests": {"storage": "1Gi"}},
        },
    }
    try:
        resources.create(claim)
    finally:
        client.request("DELETE", f"{path}/{name}")
    assert resources.heard.statuses[-1] == "PersistentVolumeClaim will be bound by its first consumer"


def test_an_object_is_awaited_by_what_its_annotation_names(
    resources: Resources, client: Client, namespace: str
) -> None:
    wanted = {"waitFor": "jsonpath={.data.state}=done", "timeoutSeconds": "20"}
    obj = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x", "namespace": namespace}}
    resources.timeout = 0
    made: list[Made] = []
    worker = threading.Thread(target=lambda: made.append(resources.create(with_annotations(obj, **wanted))))
    worker.start()
    wait_for(lambda: any("Waiting for jsonpath" in text for text in resources.heard.statuses), "the wait")
    path = f"/api/v1/namespaces/{namespace}/configmaps/x"
    client.request("PATCH", path, {"fieldManager": "other"}, {"data": {"state": "done"}}, MERGE_PATCH)
    worker.join()
    assert plain(made[0].state)["data"] == {"state": "done"}


def test_a_cancelled_wait_keeps_what_has_been_made(resources: Resources, namespace: str) -> None:
    errors: list[InitFailedError] = []

    def work() -> None:
        errors.append(failure(resources, deployment(namespace)))

    worker = threading.Thread(target=work)
    worker.start()
    wait_for(lambda: any("Waiting for app ReplicaSet" in text for text in resources.heard.statuses), "the wait")
    resources.cluster.client.cancelled.set()
    worker.join(timeout=10)
    assert errors[0].reasons[0].startswith(f"cancelled while waiting for Deployment {namespace}/api")
    assert errors[0].identity == f"{namespace}/api"


def test_an_object_that_vanishes_while_it_is_awaited_ends_the_wait(
    resources: Resources, client: Client, namespace: str
) -> None:
    errors: list[InitFailedError] = []
    worker = threading.Thread(target=lambda: errors.append(failure(resources, deployment(namespace))))
    worker.start()
    wait_for(lambda: any("Waiting for app ReplicaSet" in text for text in resources.heard.statuses), "the wait")
    client.request("DELETE", f"/apis/apps/v1/namespaces/{namespace}/deployments/api")
    worker.join(timeout=10)
    assert "was deleted while it was being waited for" in errors[0].reasons[0]
