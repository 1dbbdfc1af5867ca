"""A PersistentVolumeClaim is ready when it is bound; one whose class waits for a consumer is not waited for."""

from local.plugins.kubernetes_provider.awaiting.surroundings import Surroundings
from local.plugins.kubernetes_provider.awaiting.verdict import Verdict, ready
from local.plugins.kubernetes_provider.objects import Object, dig


def assess(live: Object, around: Surroundings) -> Verdict:
    """Look at a PersistentVolumeClaim once."""
    phase = dig(live, "status", "phase", default="Pending")
    if phase == "Bound":
        return ready("PersistentVolumeClaim is bound")
    name = str(dig(live, "spec", "storageClassName", default=""))
    if around.storage_class(name).get("volumeBindingMode") == "WaitForFirstConsumer":
        return ready("PersistentVolumeClaim will be bound by its first consumer")
    failed = [event for event in around.events(live) if event.get("type") == "Warning"]
    found = (f"PersistentVolumeClaim is not bound: {failed[-1].get('message', '')}",) if failed else ()
    lost = phase == "Lost"
    return Verdict(
        done=False,
        message=f"Waiting for PersistentVolumeClaim to be bound (phase {phase})",
        problems=(*found, "the bound volume has been lost") if lost else found,
        hopeless=lost,
    )
