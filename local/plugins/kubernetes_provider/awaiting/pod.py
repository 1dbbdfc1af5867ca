"""A Pod is ready when it says so, or has ended well."""

from local.plugins.kubernetes_provider.awaiting.pods import problems
from local.plugins.kubernetes_provider.awaiting.surroundings import Surroundings
from local.plugins.kubernetes_provider.awaiting.verdict import Verdict, ready
from local.plugins.kubernetes_provider.objects import Object, condition, dig


def assess(live: Object, around: Surroundings) -> Verdict:
    """Look at a Pod once."""
    phase = dig(live, "status", "phase", default="Pending")
    if phase == "Succeeded" or condition(live, "Ready").get("status") == "True":
        return ready("Pod is ready")
    found = problems(live, around)
    if phase == "Failed":
        return Verdict(done=False, message="Pod has failed", problems=found or ("the Pod has failed",), hopeless=True)
    return Verdict(done=False, message=f"Waiting for Pod to be ready (phase {phase})", problems=found)
