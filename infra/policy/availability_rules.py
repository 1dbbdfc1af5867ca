"""Rules on availability and the network: disruption budgets, network policies."""

from collections.abc import Iterator, Sequence
from typing import Final

from infra.names import PROJECT
from infra.policy.resource import Resource, of_kubernetes, pods, selects
from infra.policy.rule import Context, Finding, Rule

_STACK: Final = f"{PROJECT}/stack"
"""Label of all that a stack makes."""


def _budgeted(resources: Sequence[Resource], _context: Context) -> Iterator[Finding]:
    budgets = of_kubernetes(resources, "PodDisruptionBudget")
    scaled = {
        scaler.spec["scaleTargetRef"]["name"]: int(scaler.spec.get("minReplicas") or 1)
        for scaler in of_kubernetes(resources, "HorizontalPodAutoscaler")
    }
    for pod in pods(resources):
        owner = pod.owner
        if owner.kind not in ("Deployment", "StatefulSet"):
            continue
        replicas = scaled.get(owner.name, int(owner.spec.get("replicas") or 1))
        covered = any(
            budget.namespace == owner.namespace and selects(budget.spec.get("selector"), pod.labels)
            for budget in budgets
        )
        if replicas > 1 and not covered:
            yield owner, f"{replicas} replicas and no PodDisruptionBudget: a drained node may take all of them"


def _isolated(resources: Sequence[Resource], _context: Context) -> Iterator[Finding]:
    denied = {
        policy.namespace
        for policy in of_kubernetes(resources, "NetworkPolicy")
        if not any((policy.spec.get("podSelector") or {}).values())
        and {"Ingress", "Egress"} <= set(policy.spec.get("policyTypes") or ())
        and not policy.spec.get("ingress")
        and not policy.spec.get("egress")
    }
    for namespace in of_kubernetes(resources, "Namespace"):
        # Namespaces of add-ons are their charts', whose flows are theirs to know.
        if _STACK in (namespace.metadata.get("labels") or {}) and namespace.name not in denied:
            yield namespace, "no NetworkPolicy denies what no other allows: add one for all pods and both directions"


RULES: Final = (
    Rule("disruption-budgets", "Pods of which there are several have a disruption budget.", _budgeted),
    Rule("network-policies", "A stack's namespace denies every call that no policy allows.", _isolated),
)
