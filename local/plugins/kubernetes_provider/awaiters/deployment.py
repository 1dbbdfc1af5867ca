"""A Deployment is ready when the pods of its newest ReplicaSet are available and the old ones are gone.

The rule is `kubectl rollout status`'s; the messages are the official provider's.
"""

from local.plugins.kubernetes_provider.awaiters.lookups import Lookups
from local.plugins.kubernetes_provider.awaiters.pods import all_problems
from local.plugins.kubernetes_provider.awaiters.readiness import Readiness, ready
from local.plugins.kubernetes_provider.objects import Object, condition, dig, selector_text

_COMPLETE = "Deployment initialization complete"


def assess(live: Object, lookups: Lookups) -> Readiness:
    """Assess a Deployment."""
    status = live.get("status") or {}
    wanted = int(dig(live, "spec", "replicas", default=1))
    if dig(status, "observedGeneration", default=0) < dig(live, "metadata", "generation", default=0):
        return Readiness(done=False, message="[1/2] Waiting for the Deployment controller to take up the change")
    updated, available = status.get("updatedReplicas", 0), status.get("availableReplicas", 0)
    if updated >= wanted and status.get("replicas", 0) <= updated and available >= updated:
        return ready(_COMPLETE)
    progressing = condition(live, "Progressing")
    deadline_exceeded = progressing.get("status") == "False" and progressing.get("reason") == "ProgressDeadlineExceeded"
    found = _problems(live, lookups)
    if deadline_exceeded and not found:
        found = (str(progressing.get("message", "")),)
    # Old pods may still be available; what counts is how many of the new ones are.
    new_available = max(0, min(updated, available - max(0, status.get("replicas", 0) - updated)))
    if updated >= wanted and new_available >= wanted:
        message = "[2/2] Waiting for the Pods of the previous ReplicaSet to end"
    else:
        message = f"[1/2] Waiting for app ReplicaSet to be available ({new_available}/{wanted} Pods available)"
    return Readiness(done=False, message=message, problems=found, failed=deadline_exceeded)


def _problems(live: Object, lookups: Lookups) -> tuple[str, ...]:
    refused = condition(live, "ReplicaFailure")
    found = (f"no Pod can be made: {refused.get('message', '')}",) if refused.get("status") == "True" else ()
    pods = lookups.pods(selector_text(dig(live, "spec", "selector", default={})))
    return found + all_problems(newest(live, pods), lookups)


def newest(live: Object, pods: list[Object]) -> list[Object]:
    """Keep the pods of the ReplicaSet that was made last: older ones say nothing about the new version.

    Times have whole seconds. Of two sets that began in the same one, the one that runs the template's images is newer.
    """
    by_set: dict[str, list[Object]] = {}
    for pod in pods:
        by_set.setdefault(str(dig(pod, "metadata", "labels", "pod-template-hash", default="")), []).append(pod)
    if not by_set:
        return []
    wanted = _images(dig(live, "spec", "template", default={}))

    def age(group: list[Object]) -> tuple[str, bool]:
        made = max(str(dig(pod, "metadata", "creationTimestamp", default="")) for pod in group)
        return made, _images(group[0]) == wanted

    return max(by_set.values(), key=age)


def _images(pod: Object) -> list[str]:
    return [str(container.get("image")) for container in dig(pod, "spec", "containers", default=[])]
