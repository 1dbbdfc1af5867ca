"""Each rule of the policies: a resource that it stops, and one that it passes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any

import pytest

from infra.policy.check import RULES
from infra.policy.resource import Resource
from infra.policy.rule import Context

DIGEST = f"sha256:{'0a' * 32}"
BOUNDED = {kind: {"cpu": "100m", "memory": "64Mi"} for kind in ("requests", "limits")}
CONTAINER = {
    "name": "main",
    "image": f"registry.example.com/task-manager@{DIGEST}",
    "livenessProbe": {"tcpSocket": {"port": 1}},
    "resources": BOUNDED,
    "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
}
POD = {
    "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
    "containers": [CONTAINER],
}
LABELS = {"app": "main"}
PRODUCTION = Context(production=True, budget=100)


def kubernetes(token: str, name: str, spec: Any = None, *, protected: bool = False, **properties: Any) -> Resource:
    metadata = {"name": name, "namespace": "tasks", **properties.pop("metadata", {})}
    given = {"metadata": metadata, "spec": spec or {}, **properties}
    return Resource(f"kubernetes:{token}", name, given, protected)


def deployment(change: Mapping[str, Any] | None = None, replicas: int = 1, **container: Any) -> Resource:
    pod = deepcopy({**POD, **(change or {})})
    pod["containers"] = [{**each, **container} for each in pod["containers"]]
    spec = {"replicas": replicas, "template": {"metadata": {"labels": LABELS}, "spec": pod}}
    return kubernetes("apps/v1:Deployment", "main", spec)


def cluster(*, protected: bool = True, **spec: Any) -> Resource:
    return kubernetes("postgresql.cnpg.io/v1:Cluster", "db", {"resources": BOUNDED, **spec}, protected=protected)


def policy(**spec: Any) -> Resource:
    given = {"podSelector": {"matchLabels": {}}, "policyTypes": ["Ingress", "Egress"], **spec}
    return kubernetes("networking.k8s.io/v1:NetworkPolicy", "deny", given)


def service(kind: str, component: str) -> Resource:
    spec = {"type": kind, "selector": {"app.kubernetes.io/component": component}}
    return kubernetes("core/v1:Service", "front", spec)


def cloud(token: str, *, protected: bool = True, **properties: Any) -> Resource:
    return Resource(token, "thing", properties, protected)


RESTRICTED = {"pod-security.kubernetes.io/enforce": "restricted", "task-manager/stack": "prod"}
NAMESPACE = kubernetes("core/v1:Namespace", "tasks", metadata={"labels": RESTRICTED})
CLAIM = kubernetes("core/v1:PersistentVolumeClaim", "data")
BUDGET = kubernetes("policy/v1:PodDisruptionBudget", "main", {"selector": {"matchLabels": LABELS}})
SCALER = kubernetes(
    "autoscaling/v2:HorizontalPodAutoscaler", "main", {"scaleTargetRef": {"name": "main"}, "minReplicas": 2}
)
BACKUP = kubernetes("postgresql.cnpg.io/v1:ScheduledBackup", "nightly", {"cluster": {"name": "db"}})
BUCKET = "aws:s3/bucket:Bucket"
SPACES = "digitalocean:index/spacesBucket:SpacesBucket"
WAYS = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")
BLOCK = cloud("aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock", **dict.fromkeys(WAYS, True))
OPEN_BLOCK = cloud("aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock", **dict.fromkeys(WAYS[:3], True))
ENCRYPTION = cloud("aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration")
VOLUME_TOKEN = "storage.k8s.io/v1:StorageClass"
TEMPLATE = "aws:ec2/launchTemplate:LaunchTemplate"
EBS: dict[str, Any] = {"provisioner": "ebs.csi.aws.com"}


def context_of(**changes: Any) -> dict[str, Any]:
    return {"securityContext": {**CONTAINER["securityContext"], **changes}}  # type: ignore[dict-item]


Case = tuple[str, Sequence[Resource]]

STOPPED: list[Case] = [
    ("restricted-pods", [kubernetes("core/v1:Namespace", "tasks")]),
    ("restricted-pods", [deployment({"hostNetwork": True})]),
    ("restricted-pods", [deployment({"volumes": [{"name": "logs", "hostPath": {"path": "/var/log"}}]})]),
    ("restricted-pods", [deployment({"securityContext": {"seccompProfile": {"type": "RuntimeDefault"}}})]),
    ("restricted-pods", [deployment({"securityContext": {"runAsNonRoot": True}})]),
    ("restricted-pods", [deployment(**context_of(allowPrivilegeEscalation=True))]),
    ("restricted-pods", [deployment(**context_of(capabilities={"drop": ["NET_RAW"]}))]),
    ("restricted-pods", [deployment(**context_of(privileged=True))]),
    ("restricted-pods", [deployment({"initContainers": [{"name": "first", "image": "a:1"}]})]),
    ("requests-and-limits", [deployment(resources={})]),
    ("requests-and-limits", [deployment(resources={**BOUNDED, "limits": {"cpu": "1"}})]),
    ("requests-and-limits", [deployment(resources={**BOUNDED, "requests": {"memory": "1Gi"}})]),
    ("requests-and-limits", [cluster(resources={"requests": BOUNDED["requests"]})]),
    ("probes", [deployment(livenessProbe=None)]),
    ("fixed-versions", [deployment(image="registry.example.com:5000/task-manager")]),
    ("fixed-versions", [deployment(image="docker.io/valkey/valkey:latest")]),
    ("fixed-versions", [cluster(imageName="ghcr.io/cloudnative-pg/postgresql")]),
    ("digests", [deployment(image="registry.example.com/task-manager:1.2.3")]),
    ("disruption-budgets", [deployment(replicas=2)]),
    ("disruption-budgets", [deployment(), SCALER]),
    ("network-policies", [NAMESPACE]),
    ("network-policies", [NAMESPACE, policy(policyTypes=["Ingress"])]),
    ("network-policies", [NAMESPACE, policy(egress=[{}])]),
    ("network-policies", [NAMESPACE, policy(podSelector={"matchLabels": LABELS})]),
    ("backups", [cluster()]),
    ("protection", [cluster(protected=False)]),
    ("protection", [NAMESPACE, CLAIM]),
    ("protection", [cloud(SPACES, protected=False)]),
    ("private-data", [service("LoadBalancer", "database")]),
    ("private-data", [service("NodePort", "cache")]),
    (
        "private-data",
        [cluster(managed={"services": {"additional": [{"serviceTemplate": {"spec": {"type": "LoadBalancer"}}}]}})],
    ),
    ("private-data", [cloud(BUCKET), OPEN_BLOCK]),
    ("private-data", [cloud(BUCKET)]),
    ("private-data", [cloud(SPACES, acl="public-read")]),
    ("encryption", [cloud(BUCKET)]),
    ("encryption", [kubernetes(VOLUME_TOKEN, "gp3", **EBS, parameters={"type": "gp3"})]),
    ("encryption", [cloud("aws:eks/cluster:Cluster")]),
    ("encryption", [cloud(TEMPLATE, blockDeviceMappings=[{"ebs": {"encrypted": "false"}}])]),
]

PASSED: list[Case] = [
    ("restricted-pods", [NAMESPACE, deployment()]),
    ("requests-and-limits", [deployment(), cluster()]),
    ("probes", [deployment()]),
    ("fixed-versions", [deployment(), deployment(image="docker.io/valkey/valkey:9.1.2")]),
    ("digests", [deployment(), deployment(image="docker.io/valkey/valkey:9.1.2")]),
    ("disruption-budgets", [deployment(replicas=2), BUDGET]),
    ("disruption-budgets", [deployment()]),
    ("network-policies", [NAMESPACE, policy(), policy(podSelector={}, ingress=[])]),
    ("backups", [cluster(), BACKUP]),
    ("protection", [cluster(), cloud(SPACES)]),
    ("protection", [kubernetes("core/v1:Namespace", "tasks", protected=True), CLAIM]),
    ("protection", [NAMESPACE]),
    ("private-data", [service("LoadBalancer", "gateway"), service("NodePort", "api"), service("ClusterIP", "cache")]),
    ("private-data", [cloud(BUCKET), BLOCK, cloud(SPACES), cloud(SPACES, acl="private")]),
    ("encryption", [cloud(BUCKET), ENCRYPTION]),
    ("encryption", [kubernetes(VOLUME_TOKEN, "gp3", **EBS, parameters={"encrypted": "true"})]),
    ("encryption", [kubernetes(VOLUME_TOKEN, "local", provisioner="example.com/local")]),
    ("encryption", [cloud("aws:eks/cluster:Cluster", encryptionConfig={"resources": ["secrets"]})]),
    ("encryption", [cloud(TEMPLATE, blockDeviceMappings=[{"ebs": {"encrypted": "true"}}])]),
]

BY_NAME = {rule.name: rule for rule in RULES}


@pytest.mark.parametrize(("name", "resources"), STOPPED)
def test_a_rule_stops_a_resource_and_names_it(name: str, resources: Sequence[Resource]) -> None:
    found = list(BY_NAME[name].violations(resources, PRODUCTION))
    assert {violation.resource for violation in found} <= {each.name for each in resources}
    assert [violation.rule for violation in found] == [name] * len(found) != []


@pytest.mark.parametrize(("name", "resources"), PASSED)
def test_a_rule_passes_what_keeps_it(name: str, resources: Sequence[Resource]) -> None:
    assert list(BY_NAME[name].violations(resources, PRODUCTION)) == []


def test_a_stack_without_a_budget_is_stopped_in_production() -> None:
    [found] = BY_NAME["budget"].violations([], Context(production=True))
    assert str(found) == "budget: stack: no budget: set task-manager:budget to what it may cost a month"
    assert list(BY_NAME["budget"].violations([], PRODUCTION)) == []


def test_every_rule_has_a_resource_that_it_stops_and_one_that_it_passes() -> None:
    assert {name for name, _ in STOPPED} == {name for name, _ in PASSED} == set(BY_NAME) - {"budget"}


def test_rules_for_production_leave_other_stacks_alone() -> None:
    for name, resources in STOPPED:
        if BY_NAME[name].production:
            assert list(BY_NAME[name].violations(resources, Context())) == []


def test_a_container_of_another_pod_is_not_covered_by_a_budget_of_its_namespace() -> None:
    other = kubernetes("policy/v1:PodDisruptionBudget", "other", {"selector": {"matchLabels": {"app": "other"}}})
    elsewhere = kubernetes(
        "policy/v1:PodDisruptionBudget", "main", {"selector": {"matchLabels": LABELS}}, metadata={"namespace": "else"}
    )
    [found] = BY_NAME["disruption-budgets"].violations([deployment(replicas=3), other, elsewhere], PRODUCTION)
    assert found.message.startswith("3 replicas")
