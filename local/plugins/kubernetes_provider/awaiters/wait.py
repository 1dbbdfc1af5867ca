"""Poll an object until it is ready, has failed, or its time is up."""

import time
from collections.abc import Callable

from local.plugins.kubernetes_provider.awaiters import (
    custom_resource_definition,
    daemonset,
    deployment,
    job,
    persistent_volume_claim,
    pod,
    statefulset,
    wait_for_annotation,
)
from local.plugins.kubernetes_provider.awaiters.lookups import ApiLookups, Lookups
from local.plugins.kubernetes_provider.awaiters.readiness import Readiness
from local.plugins.kubernetes_provider.awaiters.service import ServiceRule
from local.plugins.kubernetes_provider.context import Cluster, uid_of
from local.plugins.kubernetes_provider.errors import ApiError, ProviderError, UnreachableError
from local.plugins.kubernetes_provider.objects import Object, annotation, flag, namespace_of, title

Rule = Callable[[Object, Lookups], Readiness]

# The official provider's default for everything that it waits for.
DEFAULT_SECONDS = 600.0
_POLL_SECONDS = 0.25
_POLL_LONGEST_SECONDS = 2.0
# A server that restarts under us is given this long before the operation fails.
_OUTAGE_SECONDS = 60.0

_SKIP = "pulumi.com/skipAwait"
_TIMEOUT = "pulumi.com/timeoutSeconds"

_RULES: dict[tuple[str, str], Rule] = {
    ("apps", "Deployment"): deployment.assess,
    ("apps", "StatefulSet"): statefulset.assess,
    ("apps", "DaemonSet"): daemonset.assess,
    ("batch", "Job"): job.assess,
    ("", "Pod"): pod.assess,
    ("", "PersistentVolumeClaim"): persistent_volume_claim.assess,
    ("apiextensions.k8s.io", "CustomResourceDefinition"): custom_resource_definition.assess,
}


class NotReadyError(Exception):
    """The object is there, but not ready.

    Attributes:
        live: the object as it was last seen.
        reasons: why, a sentence each; the first says what was waited for.
    """

    def __init__(self, live: Object, reasons: list[str]) -> None:
        """Args: live: the object. reasons: why it is not ready."""
        super().__init__("; ".join(reasons))
        self.live = live
        self.reasons = reasons


def rule_for(obj: Object) -> Rule | None:
    """Find the rule for an object; None when there is nothing to wait for.

    Raises:
        ProviderError: the object's `pulumi.com/waitFor` is not understood.
    """
    if flag(obj, _SKIP):
        return None
    if wanted := annotation(obj, wait_for_annotation.WAIT_FOR):
        return wait_for_annotation.rule(wanted)
    group, kind = str(obj.get("apiVersion", "")).rpartition("/")[0], str(obj.get("kind", ""))
    if (group, kind) == ("", "Service"):
        return ServiceRule()
    return _RULES.get((group, kind))


def seconds(obj: Object, custom: float) -> float:
    """Give how long to wait: the resource's custom timeout, else its annotation, else the default.

    Args:
        obj: the object.
        custom: `custom_timeouts` of the resource, in seconds; 0 when there are none.

    Raises:
        ProviderError: the annotation is no number.
    """
    written = annotation(obj, _TIMEOUT)
    if custom or not written:
        return custom or DEFAULT_SECONDS
    try:
        return float(written)
    except ValueError as error:
        raise ProviderError(
            f"annotation {_TIMEOUT} of {title(obj)} is {written!r}: it takes a number of seconds"
        ) from error


def wait_until_ready(cluster: Cluster, urn: str, obj: Object, timeout: float) -> Object:
    """Wait for an object that has just been applied.

    Args:
        cluster: the configured provider.
        urn: the resource, for progress.
        obj: the object as the server returned it.
        timeout: in seconds; see `seconds`.

    Returns:
        The object as it was when it became ready.

    Raises:
        NotReadyError: its time is up, it has failed, or the update was cancelled.
    """
    rule = rule_for(obj)
    if rule is None:
        return obj
    deadline, pause, live = time.monotonic() + timeout, _POLL_SECONDS, obj
    lookups = ApiLookups(cluster.client, namespace_of(obj))
    # The problems of earlier polls: a Job that has failed has taken its pods with it.
    seen: tuple[str, ...] = ()
    while True:
        try:
            readiness = rule(live, lookups)
            cluster.engine.status(urn, readiness.progress())
            if readiness.done:
                return live
            found = (*readiness.problems, *(text for text in seen if text not in readiness.problems))
            if readiness.failed:
                raise NotReadyError(live, _reasons(readiness.message, found))
            if time.monotonic() >= deadline:
                late = f"{title(live)} was not ready after {timeout:.0f} s: {readiness.message}"
                raise NotReadyError(live, _reasons(late, readiness.problems))
            if cluster.client.cancelled.wait(min(pause, max(0.0, deadline - time.monotonic()))):
                cancelled = f"cancelled while waiting for {title(live)}: {readiness.message}"
                raise NotReadyError(live, _reasons(cancelled, readiness.problems))
            seen = readiness.problems or seen
            pause = min(pause * 1.4, _POLL_LONGEST_SECONDS)
            live = _read_again(cluster, obj, live)
        except UnreachableError as error:
            try:
                cluster.client.wait_until_reachable(min(deadline, time.monotonic() + _OUTAGE_SECONDS))
            except UnreachableError:
                raise NotReadyError(live, [str(error)]) from error


def _reasons(first: str, others: tuple[str, ...]) -> list[str]:
    return list(dict.fromkeys((first, *others)))


def _read_again(cluster: Cluster, obj: Object, live: Object) -> Object:
    try:
        seen = cluster.read(obj)
    except ApiError as error:
        if error.code == 404:
            raise NotReadyError(live, [f"{title(live)} was deleted while it was being waited for"]) from error
        raise
    if uid_of(seen) != uid_of(obj):
        raise NotReadyError(
            live, [f"{title(live)} was deleted and made anew by someone else while it was being waited for"]
        )
    return seen
