"""Checks of a cluster: each returns what is wrong with one part, and None where nothing is."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from packaging.version import Version

from infra.cluster_api import OLDEST_KUBERNETES, ClusterApi, parse_version
from infra.names import PROJECT

Check = Callable[[ClusterApi], str | None]


def kubernetes(cluster: ClusterApi) -> str | None:
    """Check the version of the API server."""
    version = cluster.version()
    return f"{cluster.server} runs {version}" if version < OLDEST_KUBERNETES else None


def storage_class(name: str) -> Check:
    """Return a check of a StorageClass; of the default one, without a name."""

    def problem(cluster: ClusterApi) -> str | None:
        classes = cluster.objects("/apis/storage.k8s.io/v1/storageclasses")
        names = [each["metadata"]["name"] for each in classes]
        if name:
            return None if name in names else f"there is none named {name}, only {', '.join(names) or 'none at all'}"
        if any(map(_is_default, classes)):
            return None
        return f"none is the default, of {', '.join(names)}" if names else "the cluster has none"

    return problem


def _is_default(storage_class: dict[str, Any]) -> bool:
    annotations = storage_class["metadata"].get("annotations") or {}
    return annotations.get("storageclass.kubernetes.io/is-default-class") == "true"


def serves(group_version: str, *plurals: str) -> Check:
    """Return a check that the API server knows these kinds."""

    def problem(cluster: ClusterApi) -> str | None:
        missing = [plural for plural in plurals if plural not in cluster.resources(group_version)]
        return f"{group_version} serves no {', no '.join(missing)}" if missing else None

    return problem


def answers(group_version: str) -> Check:
    """Return a check of an aggregated API, which may be registered and not answer."""
    return lambda cluster: None if cluster.is_served(group_version) else f"{group_version} does not answer"


def issuer(name: str) -> Check:
    """Return a check of cert-manager's ClusterIssuer."""
    path = f"/apis/cert-manager.io/v1/clusterissuers/{name}"
    return lambda cluster: None if cluster.object(path) else f"there is no ClusterIssuer named {name}"


def accepted(name: str) -> Check:
    """Return a check that a controller serves a GatewayClass."""

    def problem(cluster: ClusterApi) -> str | None:
        found = cluster.object(f"/apis/gateway.networking.k8s.io/v1/gatewayclasses/{name}")
        if found is None:
            return "there is none of this name"
        conditions = found.get("status", {}).get("conditions", ())
        if any(each["type"] == "Accepted" and each["status"] == "True" for each in conditions):
            return None
        return f"no controller has accepted it ({found['spec']['controllerName']} would have to)"

    return problem


def controlled_by(name: str, controller: str) -> Check:
    """Return a check of whose a GatewayClass is."""

    def problem(cluster: ClusterApi) -> str | None:
        found = cluster.object(f"/apis/gateway.networking.k8s.io/v1/gatewayclasses/{name}") or {}
        other = found.get("spec", {}).get("controllerName")
        return None if other == controller else f"its controller is {other}, and not {controller}"

    return problem


def runs(namespace: str, least: Mapping[str, Version]) -> Check:
    """Return a check of programs by their images.

    Args:
        namespace: the gateway's.
        least: the oldest version that will do, by the last part of the image's name.
    """

    def problem(cluster: ClusterApi) -> str | None:
        images = [
            container["image"].partition("@")[0].rpartition("/")[2].partition(":")
            for workload in _workloads(cluster, namespace)
            for container in workload["spec"]["template"]["spec"]["containers"]
        ]
        for program, oldest in least.items():
            tags = [tag for name, _, tag in images if name == program]
            if not tags:
                return f"no {program} runs in the namespace {namespace}, which {PROJECT}:gateway.namespace names"
            old = [version for version in map(_tagged, tags) if version and version < oldest]
            if old:
                return f"{program} {min(old)} runs in the namespace {namespace}; {oldest} or later is needed"
        return None

    return problem


def _tagged(tag: str) -> Version | None:
    """Return the version in an image's tag, which may name the variant of the image after it, such as 3.9.3-ubuntu."""
    return parse_version(tag.partition("-")[0])


def _workloads(cluster: ClusterApi, namespace: str) -> list[dict[str, Any]]:
    return [
        workload
        for kind in ("deployments", "daemonsets")
        for workload in cluster.objects(f"/apis/apps/v1/namespaces/{namespace}/{kind}")
    ]


@dataclass(frozen=True)
class Operator:
    """An operator, found by the label `app.kubernetes.io/name` that the stack's network policies select it by.

    Args:
        name: value of that label.
        namespace: where it runs.
        setting: which one says so.
        least: the oldest version that will do.
    """

    name: str
    namespace: str
    setting: str
    least: Version

    def problem(self, cluster: ClusterApi) -> str | None:
        """Return what is wrong with it."""
        running = list(filter(self._is_it, _workloads(cluster, self.namespace)))
        if not running:
            return f"none runs in the namespace {self.namespace}, which {self.setting} names"
        old = [version for version in map(_version, running) if version and version < self.least]
        return f"{min(old)} runs in the namespace {self.namespace}; {self.least} or later is needed" if old else None

    def _is_it(self, workload: dict[str, Any]) -> bool:
        labels = workload["spec"]["template"]["metadata"].get("labels", {})
        return bool(labels.get("app.kubernetes.io/name") == self.name)


def _version(workload: dict[str, Any]) -> Version | None:
    """Return the version that a workload's label or its image's tag names."""
    label = workload["metadata"].get("labels", {}).get("app.kubernetes.io/version", "")
    image = workload["spec"]["template"]["spec"]["containers"][0]["image"].partition("@")[0]
    return parse_version(label) or parse_version(image.rpartition("/")[2].rpartition(":")[2])


def first_of(*checks: Check) -> Check:
    """Return the first problem that one of the checks finds."""
    return lambda cluster: next(filter(None, (check(cluster) for check in checks)), None)
