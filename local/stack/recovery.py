"""What an interrupted update has left: its lock, pending operations, a pending release, Jobs that no state knows."""

from __future__ import annotations

import json
from typing import Any, TextIO

from infra.names import PROJECT
from local.errors import LocalError
from local.stack import preflight, pulumi
from local.stack.place import Place, place_of

_JOB = "kubernetes:batch/v1:Job"
_OWN = f"app.kubernetes.io/managed-by=pulumi,app.kubernetes.io/part-of={PROJECT}"


def recover(stack: str, stream: TextIO, *, cancel: bool = False) -> None:
    """Bring a stack to where an update can go on.

    Args:
        stack: its name.
        stream: where each step is said.
        cancel: whether a lock of a backend that others use is released too: its update would have to be over.

    Raises:
        LocalError: the kubeconfig leads to another cluster; or Pulumi, Helm or the API server refuses.
    """
    pulumi.release_stale_lock(stack)
    if cancel:
        pulumi.run("cancel", "--yes", stack=stack, capture=True)
        stream.write(f"stack {stack}: its lock is released\n")
    preflight.prepare(stack, stream)
    state = json.loads(pulumi.run("stack", "export", stack=stack, capture=True))
    deployment = state.get("deployment") or {}
    pending = deployment.get("pending_operations") or []
    for operation in pending:
        stream.write(f"pending: {operation['type']} {operation['resource']['urn'].split('::', 2)[2]}\n")
    for name in _unknown_jobs(stack, deployment):
        stream.write(f"Job {name}, which the state does not know, is removed\n")
    if pending:
        # What was made all the same is taken over by the next update, by server-side apply.
        pulumi.run("refresh", "--yes", "--skip-preview", "--clear-pending-creates", stack=stack, capture=True)
    stream.write(f"stack {stack}: `make deploy STACK={stack}` or `pulumi up` can go on\n")


def _unknown_jobs(stack: str, deployment: dict[str, Any]) -> list[str]:
    """Remove the Jobs that were made for the stack and are not in its state; return their names.

    A Job's pod template can't be changed, so the next update could not take them over.
    """
    place = _place(stack)
    if place is None:
        return []
    # By their identifiers: one that an update was replacing has the name of the one that the state knows.
    known = {
        each["outputs"].get("metadata", {}).get("uid")
        for each in deployment.get("resources") or []
        if each["type"] == _JOB
    }
    listed = json.loads(place.kubectl("get", "jobs", f"--selector={_OWN}", "--output=json"))["items"]
    made = [job["metadata"] for job in listed if not job["metadata"].get("ownerReferences")]
    left = sorted(each["name"] for each in made if each["uid"] not in known)
    if left:
        place.kubectl("delete", "jobs", *left, "--wait=true", "--timeout=60s")
    return left


def _place(stack: str) -> Place | None:
    """Return where the stack is; None where it has no outputs yet, so that nothing of it is known."""
    try:
        return place_of(stack, pulumi.outputs(stack))
    except LocalError:
        return None
