"""A StatefulSet is ready when all its pods run the newest revision and are ready."""

from local.plugins.kubernetes_provider.awaiters.lookups import Lookups
from local.plugins.kubernetes_provider.awaiters.pods import all_problems
from local.plugins.kubernetes_provider.awaiters.readiness import Readiness, ready
from local.plugins.kubernetes_provider.objects import Object, dig, selector_text


def assess(live: Object, lookups: Lookups) -> Readiness:
    """Assess a StatefulSet."""
    status = live.get("status") or {}
    wanted = int(dig(live, "spec", "replicas", default=1))
    if dig(status, "observedGeneration", default=0) < dig(live, "metadata", "generation", default=0):
        return Readiness(done=False, message="[1/3] Waiting for the StatefulSet controller to take up the change")
    ready_pods = status.get("readyReplicas", 0)
    first = dig(live, "metadata", "generation", default=1) == 1
    if ready_pods < wanted or status.get("replicas", 0) > wanted:
        message = (
            f"[1/2] Waiting for StatefulSet to create Pods ({ready_pods}/{wanted} Pods ready)"
            if first
            else f"[1/3] Waiting for StatefulSet update to roll out ({ready_pods}/{wanted} Pods ready)"
        )
        return Readiness(done=False, message=message, problems=_problems(live, lookups))
    if _updates_by_hand(live) or status.get("updatedReplicas", 0) >= _to_update(live, wanted):
        return ready("StatefulSet initialization complete")
    updated = status.get("updatedReplicas", 0)
    message = f"[2/3] Waiting for StatefulSet to roll out its revision ({updated}/{wanted} Pods updated)"
    return Readiness(done=False, message=message, problems=_problems(live, lookups))


def _updates_by_hand(live: Object) -> bool:
    return bool(dig(live, "spec", "updateStrategy", "type") == "OnDelete")


def _to_update(live: Object, wanted: int) -> int:
    """Give the number of pods that an update reaches: those from the partition on."""
    return max(0, wanted - int(dig(live, "spec", "updateStrategy", "rollingUpdate", "partition", default=0)))


def _problems(live: Object, lookups: Lookups) -> tuple[str, ...]:
    found = all_problems(lookups.pods(selector_text(dig(live, "spec", "selector", default={}))), lookups)
    if found or dig(live, "status", "replicas", default=0) >= int(dig(live, "spec", "replicas", default=1)):
        return found
    refused = [event for event in lookups.events(live) if event.get("reason") == "FailedCreate"]
    return (f"no Pod can be made: {refused[-1].get('message', '')}",) if refused else ()
