"""Reasons why a pod is not ready."""

from collections.abc import Iterator

from local.plugins.kubernetes_provider.awaiters.lookups import Lookups
from local.plugins.kubernetes_provider.objects import Object, condition, dig, name_of

_PULL = frozenset(
    {
        "ErrImagePull",
        "ImagePullBackOff",
        "InvalidImageName",
        "ErrImageNeverPull",
        "ImageInspectError",
        "RegistryUnavailable",
    }
)
_CONFIG = frozenset(
    {"CreateContainerConfigError", "CreateContainerError", "RunContainerError", "StartError", "PreCreateHookError"}
)
_VOLUME_EVENTS = frozenset({"FailedMount", "FailedAttachVolume", "FailedMapVolume"})
# A start that did not get as far as a container: the network of the pod could not be made, for one.
_SANDBOX_EVENT = "FailedCreatePodSandBox"
_BACK_OFF_PREFIX = "Back-off pulling image"


def problems(pod: Object, lookups: Lookups) -> tuple[str, ...]:
    """Give the reasons why a pod is not ready; empty while it just needs time.

    Args:
        pod: the pod.
        around: events and logs.
    """
    if dig(pod, "metadata", "deletionTimestamp") or condition(pod, "Ready").get("status") == "True":
        return ()
    found = list(_of_pod(pod))
    # Events are asked for once, and only for a pod that is not well.
    events: list[Object] | None = None
    for kind in ("initContainerStatuses", "containerStatuses"):
        for status in dig(pod, "status", kind, default=[]):
            found.extend(_of_container(pod, status, lookups))
            if not found and "running" in dig(status, "state", default={}) and not status.get("ready"):
                events = lookups.events(pod) if events is None else events
                found.extend(_of_probe(status, events))
    if not found and dig(pod, "status", "phase") == "Pending":
        found.extend(_of_start(lookups.events(pod) if events is None else events))
    return tuple(f"Pod {name_of(pod)}: {text}" for text in dict.fromkeys(found))


def all_problems(pods: list[Object], lookups: Lookups) -> tuple[str, ...]:
    """Give the problems of several pods; one that several share is reported once."""
    names_by_problem: dict[str, list[str]] = {}
    for pod in pods:
        for text in problems(pod, lookups):
            names_by_problem.setdefault(text.split(": ", 1)[1], []).append(name_of(pod))
    return tuple(
        f"Pod {names[0]}{f' and {len(names) - 1} more' if len(names) > 1 else ''}: {text}"
        for text, names in names_by_problem.items()
    )


def _of_pod(pod: Object) -> Iterator[str]:
    scheduled = condition(pod, "PodScheduled")
    if scheduled.get("status") == "False" and scheduled.get("reason") == "Unschedulable":
        yield f"no node can take it: {scheduled.get('message', '')}"
    status = pod.get("status") or {}
    if status.get("phase") == "Failed" and status.get("reason"):
        yield f"has failed ({status['reason']}): {status.get('message', '')}"


def _of_container(pod: Object, status: Object, lookups: Lookups) -> Iterator[str]:
    name = status["name"]
    waiting = dig(status, "state", "waiting", default={})
    reason, message = waiting.get("reason", ""), waiting.get("message", "")
    ended = dig(status, "state", "terminated") or dig(status, "lastState", "terminated", default={})
    if reason in _PULL:
        image = status.get("image") or _image(pod, name)
        yield f"image {image} of container {name} cannot be pulled{_pull_reason(reason, message)}"
    elif reason in _CONFIG:
        yield f"container {name} cannot be started ({reason}): {message}"
    elif reason == "CrashLoopBackOff" or (dig(status, "state", "terminated") and ended.get("exitCode")):
        restarts = status.get("restartCount", 0)
        again = f" and is being restarted ({restarts} restarts so far)" if restarts or reason else ""
        # While it waits for its restart, the run that failed is the previous one.
        lines = lookups.log(pod, name, previous=reason == "CrashLoopBackOff") or ended.get("message", "")
        shown = "; it wrote no log" if not lines else "; its last log lines:\n" + _indent(lines)
        yield f"container {name} {_end(ended)}{again}{shown}"


def _end(ended: Object) -> str:
    if ended.get("reason") == "OOMKilled":
        return "ran out of its memory limit (OOMKilled)"
    code = ended.get("exitCode")
    return f"ends with exit code {code}" if code is not None else "keeps ending"


def _pull_reason(reason: str, message: str) -> str:
    """Give the cause where the message has one; a back-off only repeats the image's name."""
    cleaned = " ".join(message.split())
    if not cleaned or (cleaned.startswith(_BACK_OFF_PREFIX) and ":" not in cleaned.split('"')[-1]):
        return f" ({reason})"
    return f" ({reason}): {cleaned}"


def _image(pod: Object, container: str) -> str:
    for entry in (*dig(pod, "spec", "containers", default=[]), *dig(pod, "spec", "initContainers", default=[])):
        if entry.get("name") == container:
            return str(entry.get("image", ""))
    return ""


def _of_probe(status: Object, events: list[Object]) -> Iterator[str]:
    failed = [
        event
        for event in events
        if event.get("reason") == "Unhealthy"
        and f"{{{status['name']}}}" in dig(event, "involvedObject", "fieldPath", default=f"{{{status['name']}}}")
    ]
    if failed:
        yield f"container {status['name']} runs but is not ready: {' '.join(failed[-1].get('message', '').split())}"


def _of_start(events: list[Object]) -> Iterator[str]:
    for event in reversed(events):
        if event.get("reason") in _VOLUME_EVENTS:
            yield f"a volume cannot be mounted: {' '.join(event.get('message', '').split())}"
            return
        if event.get("reason") == _SANDBOX_EVENT:
            yield f"cannot be started on its node: {' '.join(event.get('message', '').split())}"
            return


def _indent(lines: str) -> str:
    return "\n".join(f"    {line}" for line in lines.splitlines())
