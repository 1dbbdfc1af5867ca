"""`pulumi up` of a stack, until its address answers."""

from __future__ import annotations

from infra.config.growth import Growth
from infra.config.image import IMAGE_VARIABLE
from local.stack import address, pulumi
from local.stack.place import Place, place_of


def up(stack: str, image: str | None = None) -> str:
    """Run `pulumi up` for the stack, wait until it answers, and return the address at which it does.

    A growth into services takes several updates; each records how far it is.

    Args:
        image: in place of the environment's; the stack's own setting goes before it.

    Raises:
        LocalError: the update failed, or the stack answers nowhere.
    """
    pulumi.release_stale_lock(stack)
    variables = {IMAGE_VARIABLE: image} if image else {}
    pulumi.run("up", "--yes", "--skip-preview", stack=stack, variables=variables)
    outputs = pulumi.outputs(stack)
    while outputs.get("growth") in (Growth.MOVE, Growth.ROUTE):
        pulumi.run("up", "--yes", "--skip-preview", stack=stack, variables=variables)
        outputs = pulumi.outputs(stack)
    place = place_of(stack, outputs)
    wait_until_scaled(place)
    return address.first_answering(address.candidates(outputs, place))


def wait_until_scaled(place: Place) -> None:
    """Return when each service of the API has the least number of pods that its autoscaler keeps.

    A first installation is ready with one pod; the autoscaler adds the others at its next look, within 15 seconds.
    """
    for scaler in place.objects("hpa"):
        name, least = scaler["metadata"]["name"], scaler["spec"]["minReplicas"]
        if scaler["metadata"]["labels"].get("app.kubernetes.io/component") == "api":
            ready = f"--for=jsonpath={{.status.readyReplicas}}={least}"
            place.kubectl("wait", f"deployment/{name}", ready, "--timeout=120s")
