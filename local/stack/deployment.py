"""`pulumi up` of a stack, until its address answers."""

from __future__ import annotations

from collections.abc import Mapping

from tenacity import RetryError, Retrying, retry_if_result, stop_after_delay, wait_fixed

from infra.config.growth import Growth
from infra.config.image import IMAGE_VARIABLE
from local.errors import LocalError
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


def wait_until_scaled(place: Place, seconds: float = 120) -> None:
    """Return when each service of the API has at least as many ready pods as its autoscaler always keeps.

    A first installation is ready with one pod; the autoscaler adds the others at its next look, within 15 seconds.

    Raises:
        LocalError: a service has too few within the time.
    """
    least = {
        scaler["metadata"]["name"]: scaler["spec"]["minReplicas"]
        for scaler in place.objects("hpa")
        if scaler["metadata"]["labels"].get("app.kubernetes.io/component") == "api"
    }
    if not least:
        return
    attempts = Retrying(retry=retry_if_result(bool), stop=stop_after_delay(seconds), wait=wait_fixed(1))
    try:
        attempts(_short_of_pods, place, least)
    except RetryError as error:
        short = ", ".join(error.last_attempt.result())
        raise LocalError(f"too few pods are ready: {short}; `make status` shows them") from error


def _short_of_pods(place: Place, least: Mapping[str, int]) -> list[str]:
    """Return the Deployments with fewer ready pods than their least number, each with both."""
    ready = {each["metadata"]["name"]: each["status"].get("readyReplicas", 0) for each in place.objects("deployments")}
    return [f"{name} {ready.get(name, 0)} of {wanted}" for name, wanted in least.items() if ready.get(name, 0) < wanted]
