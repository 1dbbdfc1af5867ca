"""A CustomResourceDefinition is ready when the API server serves it."""

from local.plugins.kubernetes_provider.awaiting.surroundings import Surroundings
from local.plugins.kubernetes_provider.awaiting.verdict import Verdict, ready
from local.plugins.kubernetes_provider.objects import Object, condition


def assess(live: Object, around: Surroundings) -> Verdict:
    """Look at a CustomResourceDefinition once."""
    del around
    refused = condition(live, "NamesAccepted")
    if refused.get("status") == "False":
        return Verdict(
            done=False,
            message="The definition's names are not accepted",
            problems=(str(refused.get("message", "")),),
            hopeless=True,
        )
    if condition(live, "Established").get("status") == "True":
        return ready("CustomResourceDefinition is served")
    return Verdict(done=False, message="Waiting for the API server to serve the CustomResourceDefinition")
