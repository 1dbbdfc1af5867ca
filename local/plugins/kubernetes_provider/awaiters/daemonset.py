"""A DaemonSet is ready when every node that should have its pod has the newest one, available."""

from local.plugins.kubernetes_provider.awaiters.lookups import Lookups
from local.plugins.kubernetes_provider.awaiters.pods import all_problems
from local.plugins.kubernetes_provider.awaiters.readiness import Readiness, ready
from local.plugins.kubernetes_provider.objects import Object, dig, selector_text


def assess(live: Object, lookups: Lookups) -> Readiness:
    """Assess a DaemonSet."""
    status = live.get("status") or {}
    if dig(status, "observedGeneration", default=0) < dig(live, "metadata", "generation", default=0):
        return Readiness(done=False, message="[1/2] Waiting for the DaemonSet controller to take up the change")
    wanted = status.get("desiredNumberScheduled", 0)
    updated, available = status.get("updatedNumberScheduled", 0), status.get("numberAvailable", 0)
    by_hand = dig(live, "spec", "updateStrategy", "type") == "OnDelete"
    if available >= wanted and (by_hand or updated >= wanted):
        return ready("DaemonSet initialization complete")
    pods = lookups.pods(selector_text(dig(live, "spec", "selector", default={})))
    done = available if by_hand else min(available, updated)
    message = f"[1/2] Waiting for DaemonSet to be available ({done}/{wanted} Pods available)"
    return Readiness(done=False, message=message, problems=all_problems(pods, lookups))
