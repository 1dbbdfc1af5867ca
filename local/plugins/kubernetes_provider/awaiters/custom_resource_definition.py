"""A CustomResourceDefinition is ready when the API server serves it."""

from local.plugins.kubernetes_provider.awaiters.lookups import Lookups
from local.plugins.kubernetes_provider.awaiters.readiness import Readiness, ready
from local.plugins.kubernetes_provider.objects import Object, condition


def assess(live: Object, lookups: Lookups) -> Readiness:
    """Assess a CustomResourceDefinition."""
    del lookups
    refused = condition(live, "NamesAccepted")
    if refused.get("status") == "False":
        return Readiness(
            done=False,
            message="The definition's names are not accepted",
            problems=(str(refused.get("message", "")),),
            failed=True,
        )
    if condition(live, "Established").get("status") == "True":
        return ready("CustomResourceDefinition is served")
    return Readiness(done=False, message="Waiting for the API server to serve the CustomResourceDefinition")
