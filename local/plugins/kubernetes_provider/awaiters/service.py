"""A Service is ready when it has pods to direct traffic to and, as a load balancer, an address.

A Service that selects no pod at all is ready too, after a moment in which pods may still come: its workload may wait
for the Service, so the Service cannot wait for it. So the official provider has it.
"""

import time

from local.plugins.kubernetes_provider.awaiters.lookups import Lookups
from local.plugins.kubernetes_provider.awaiters.readiness import Readiness, ready
from local.plugins.kubernetes_provider.objects import Object, dig, name_of, selector_text

# How long a Service with no pod in sight is given, in seconds; the official provider's time for end points to settle.
SETTLE_SECONDS = 10.0

_FINDING = "[1/3] Finding Pods to direct traffic to"
_NO_PODS = (
    "Service does not target any ready Pod: the Pods may not be ready, or spec.selector matches the labels of none"
)
_NO_ADDRESS = "Service was not allocated an IP address; does this cluster have a load balancer?"


class ServiceRule:
    """The rule, with the moment at which waiting began."""

    def __init__(self) -> None:
        """Start the clock."""
        self._began = time.monotonic()

    def __call__(self, live: Object, lookups: Lookups) -> Readiness:
        """Assess a Service."""
        if not self._has_pods(live, lookups):
            return Readiness(done=False, message=_FINDING, problems=(_NO_PODS,))
        if dig(live, "spec", "type") == "LoadBalancer" and not dig(live, "status", "loadBalancer", "ingress"):
            return Readiness(
                done=False, message="[2/3] Attempting to allocate IP address to Service", problems=(_NO_ADDRESS,)
            )
        return ready("Service initialization complete")

    def _has_pods(self, live: Object, lookups: Lookups) -> bool:
        spec = live.get("spec") or {}
        if spec.get("type") == "ExternalName" or spec.get("clusterIP") == "None" or not spec.get("selector"):
            return True
        states = [
            bool(dig(endpoint, "conditions", "ready", default=True))
            for entry in lookups.endpoint_slices(name_of(live))
            for endpoint in entry.get("endpoints") or []
            if not dig(endpoint, "conditions", "terminating", default=False)
        ]
        if states:
            return all(states)
        if lookups.pods(selector_text(spec["selector"])):
            return False
        return time.monotonic() - self._began >= SETTLE_SECONDS
