"""A Pod is ready when it says so, or has ended well."""

from local.plugins.kubernetes_provider.awaiters.lookups import Lookups
from local.plugins.kubernetes_provider.awaiters.pods import problems
from local.plugins.kubernetes_provider.awaiters.readiness import Readiness, ready
from local.plugins.kubernetes_provider.objects import Object, condition, dig


def assess(live: Object, lookups: Lookups) -> Readiness:
    """Assess a Pod."""
    phase = dig(live, "status", "phase", default="Pending")
    if phase == "Succeeded" or condition(live, "Ready").get("status") == "True":
        return ready("Pod is ready")
    found = problems(live, lookups)
    if phase == "Failed":
        return Readiness(done=False, message="Pod has failed", problems=found or ("the Pod has failed",), failed=True)
    return Readiness(done=False, message=f"Waiting for Pod to be ready (phase {phase})", problems=found)
