"""`pulumi up` of a stack, until its address answers."""

from __future__ import annotations

import requests
from tenacity import retry, retry_if_exception_type, stop_after_delay, wait_fixed

from infra.config.image import IMAGE_VARIABLE
from local.host.commands import run
from local.stack import pulumi
from local.tools import environment


def up(stack: str, image: str | None = None) -> None:
    """Run `pulumi up` for the stack and wait until its address answers.

    Args:
        image: in place of the environment's; the stack's own setting goes before it.
    """
    pulumi.release_stale_lock(stack)
    variables = {IMAGE_VARIABLE: image} if image else {}
    pulumi.run("up", "--yes", "--skip-preview", stack=stack, variables=variables)
    outputs = pulumi.outputs(stack)
    wait_until_scaled(outputs["namespace"])
    wait_until_served(outputs["url"])


def kubectl(*arguments: str, namespace: str) -> str:
    """Run kubectl in a namespace and return what it printed; raise LocalError with its words when it failed."""
    return run("kubectl", "--namespace", namespace, *arguments, env=environment.variables())


def wait_until_scaled(namespace: str) -> None:
    """Return when the API has the least number of pods that its autoscaler keeps.

    A first installation is ready with one pod; the autoscaler adds the others at its next look, within 15 seconds.
    """
    least = kubectl("get", "hpa/task-manager", "--output=jsonpath={.spec.minReplicas}", namespace=namespace)
    ready = f"--for=jsonpath={{.status.readyReplicas}}={least}"
    kubectl("wait", "deployment/task-manager", ready, "--timeout=120s", namespace=namespace)


@retry(
    retry=retry_if_exception_type(requests.RequestException),
    stop=stop_after_delay(60),
    wait=wait_fixed(0.5),
    reraise=True,
)
def wait_until_served(url: str) -> None:
    """Return when the address answers that it is ready; raise requests.RequestException after 60 s."""
    requests.get(f"{url}/health/ready", timeout=5).raise_for_status()
