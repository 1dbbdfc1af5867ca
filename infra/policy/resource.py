"""Resources as the rules see them, whoever describes them: a preview, a policy pack, or a program that tests run."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

KUBERNETES: Final = "kubernetes:"
_TEMPLATES: Final = ("Deployment", "StatefulSet", "DaemonSet", "Job")


@dataclass(frozen=True)
class Resource:
    """A resource before it is made.

    Attributes:
        type: Pulumi's, such as `kubernetes:apps/v1:Deployment` or `aws:s3/bucket:Bucket`.
        name: of the Kubernetes object, or else the one that the program gives.
        properties: its inputs.
        protected: whether Pulumi refuses to destroy it.
        urn: Pulumi's; that of the release for an object of a chart.
    """

    type: str
    name: str
    properties: Mapping[str, Any]
    protected: bool = False
    urn: str = ""

    @property
    def kind(self) -> str:
        """Last part of the type."""
        return self.type.rpartition(":")[2]

    @property
    def metadata(self) -> Mapping[str, Any]:
        """Metadata of a Kubernetes object."""
        found: Mapping[str, Any] = self.properties.get("metadata") or {}
        return found

    @property
    def namespace(self) -> str:
        """Namespace that a Kubernetes object is in."""
        return str(self.metadata.get("namespace", ""))

    @property
    def spec(self) -> Mapping[str, Any]:
        """Specification of a Kubernetes object."""
        found: Mapping[str, Any] = self.properties.get("spec") or {}
        return found


@dataclass(frozen=True)
class Pod:
    """A pod that a resource describes.

    Attributes:
        owner: the Deployment, Job or other resource that makes it.
        labels: of the pod.
        spec: of the pod.
        jobs: whether it runs to an end.
    """

    owner: Resource
    labels: Mapping[str, str]
    spec: Mapping[str, Any]
    jobs: bool

    @property
    def containers(self) -> Sequence[Mapping[str, Any]]:
        """All containers, those that initialise it first."""
        return [*(self.spec.get("initContainers") or ()), *self.spec["containers"]]


def of_kubernetes(resources: Iterable[Resource], *kinds: str) -> list[Resource]:
    """Return the Kubernetes objects of these kinds."""
    return [each for each in resources if each.type.startswith(KUBERNETES) and each.kind in kinds]


def pods(resources: Iterable[Resource]) -> Iterator[Pod]:
    """Give the pods that the resources describe themselves; operators make others."""
    for resource in of_kubernetes(resources, *_TEMPLATES, "CronJob", "Pod"):
        spec = resource.spec["jobTemplate"]["spec"] if resource.kind == "CronJob" else resource.spec
        template = resource.properties if resource.kind == "Pod" else spec["template"]
        labels = (template.get("metadata") or {}).get("labels") or {}
        yield Pod(resource, labels, template["spec"], resource.kind in ("Job", "CronJob", "Pod"))


def selects(selector: Mapping[str, Any] | None, labels: Mapping[str, str]) -> bool:
    """Tell whether a selector by labels chooses a pod; expressions count as chosen, since no rule here needs them."""
    wanted = (selector or {}).get("matchLabels") or {}
    return all(labels.get(name) == value for name, value in wanted.items())


def of_manifest(manifest: Mapping[str, Any], namespace: str, urn: str) -> Resource:
    """Return an object of a rendered chart as a resource.

    Args:
        namespace: of the release, for objects that name none.
        urn: the release's.
    """
    metadata = {"namespace": namespace, **manifest["metadata"]}
    version = manifest["apiVersion"]
    token = f"{KUBERNETES}{version if '/' in version else f'core/{version}'}:{manifest['kind']}"
    return Resource(token, metadata["name"], {**manifest, "metadata": metadata}, urn=urn)
