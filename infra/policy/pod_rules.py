"""Rules on pods: the restricted standard, requests and limits, probes, images."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from infra import names
from infra.names import PROJECT
from infra.policy.resource import Pod, Resource, of_kubernetes, pods
from infra.policy.rule import Context, Finding, Rule

LOG_READER: Final = names.LOGS
"""Reads the nodes' log files, for which no `restricted` pod can mount their folder; in a namespace of its own."""

_ENFORCE: Final = "pod-security.kubernetes.io/enforce"
_REQUESTS: Final = {"requests": ("cpu", "memory"), "limits": ("cpu", "memory")}
_DIGEST: Final = re.compile(r"@sha256:[0-9a-f]{64}$")


def _restricted(resources: Sequence[Resource], _context: Context) -> Iterator[Finding]:
    """After kubernetes.io/docs/concepts/security/pod-security-standards, "Restricted"."""
    for namespace in of_kubernetes(resources, "Namespace"):
        if _ENFORCE not in (namespace.metadata.get("labels") or {}):
            yield namespace, f"no label {_ENFORCE}: set it to restricted"
    for pod in pods(resources):
        if pod.owner.name == LOG_READER:
            continue
        for problem in _pod_problems(pod):
            yield pod.owner, problem


def _pod_problems(pod: Pod) -> Iterator[str]:
    for shared in ("hostNetwork", "hostPID", "hostIPC"):
        if pod.spec.get(shared):
            yield f"{shared} is set: take it away"
    for volume in pod.spec.get("volumes") or ():
        if "hostPath" in volume:
            yield f"volume {volume['name']} is a folder of the node: use a claim"
    own = pod.spec.get("securityContext") or {}
    for container in pod.containers:
        context = {**own, **(container.get("securityContext") or {})}
        wrong = {
            "allowPrivilegeEscalation is not false": context.get("allowPrivilegeEscalation") is not False,
            "privileged is set": bool(context.get("privileged")),
            "runAsNonRoot is not true": context.get("runAsNonRoot") is not True,
            "its capabilities are not dropped": "ALL" not in ((context.get("capabilities") or {}).get("drop") or ()),
            "its seccomp profile is not RuntimeDefault": (context.get("seccompProfile") or {}).get("type")
            not in ("RuntimeDefault", "Localhost"),
        }
        for problem, found in wrong.items():
            if found:
                yield f"container {container['name']}: {problem}"


def _bounded(resources: Sequence[Resource], _context: Context) -> Iterator[Finding]:
    for pod in pods(resources):
        for container in pod.containers:
            for missing in _missing(container.get("resources") or {}):
                yield pod.owner, f"container {container['name']} has no {missing}"
    for cluster in of_kubernetes(resources, "Cluster"):
        for missing in _missing(cluster.spec.get("resources") or {}):
            yield cluster, f"no {missing} for its servers"


def _missing(given: Mapping[str, Any]) -> Iterator[str]:
    for kind, resources in _REQUESTS.items():
        for name in resources:
            if name not in (given.get(kind) or {}):
                yield f"{kind}.{name}"


def _probed(resources: Sequence[Resource], _context: Context) -> Iterator[Finding]:
    for pod in pods(resources):
        if pod.jobs:
            continue
        for container in pod.spec["containers"]:
            if not (container.get("livenessProbe") or container.get("readinessProbe")):
                yield pod.owner, f"container {container['name']} has neither livenessProbe nor readinessProbe"


def _images(value: Any) -> Iterator[str]:
    """Every image that an object names, that of an operator's object too."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if key in ("image", "imageName") and isinstance(inner, str):
                yield inner
            else:
                yield from _images(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _images(inner)


def _versioned(resources: Sequence[Resource], _context: Context) -> Iterator[Finding]:
    for resource in resources:
        for image in sorted(set(_images(resource.properties.get("spec")))):
            tag = image.rpartition("/")[2].partition("@")[0].partition(":")[2]
            if not _DIGEST.search(image) and tag in ("", "latest"):
                yield resource, f"image {image} has no fixed version: name a tag of one, or a digest"


def _by_digest(resources: Sequence[Resource], _context: Context) -> Iterator[Finding]:
    """The API's own image alone: that of others is a version of theirs, which they do not push again."""
    for resource in resources:
        for image in sorted(set(_images(resource.properties.get("spec")))):
            if PROJECT in image and not _DIGEST.search(image):
                yield resource, f"image {image} has no digest: give IMAGE as the pipeline has printed it"


RULES: Final = (
    Rule("restricted-pods", "Pods fit the restricted Pod Security Standard.", _restricted),
    Rule("requests-and-limits", "Containers ask for processor and memory, and are held to a limit of both.", _bounded),
    Rule("probes", "Containers that serve have a probe.", _probed),
    Rule("fixed-versions", "Images have a version that is no moving tag.", _versioned),
    Rule("digests", "The API's image is named by digest.", _by_digest, production=True),
)
