"""A PersistentVolumeClaim is ready when it is bound; one whose class waits for a consumer is not waited for."""

from local.plugins.kubernetes_provider.awaiters.lookups import Lookups
from local.plugins.kubernetes_provider.awaiters.readiness import Readiness, ready
from local.plugins.kubernetes_provider.objects import Object, dig


def assess(live: Object, lookups: Lookups) -> Readiness:
    """Assess a PersistentVolumeClaim."""
    phase = dig(live, "status", "phase", default="Pending")
    if phase == "Bound":
        return ready("PersistentVolumeClaim is bound")
    name = str(dig(live, "spec", "storageClassName", default=""))
    if lookups.storage_class(name).get("volumeBindingMode") == "WaitForFirstConsumer":
        return ready("PersistentVolumeClaim will be bound by its first consumer")
    failed = [event for event in lookups.events(live) if event.get("type") == "Warning"]
    found = (f"PersistentVolumeClaim is not bound: {failed[-1].get('message', '')}",) if failed else ()
    lost = phase == "Lost"
    return Readiness(
        done=False,
        message=f"Waiting for PersistentVolumeClaim to be bound (phase {phase})",
        problems=(*found, "the bound volume has been lost") if lost else found,
        failed=lost,
    )
