"""Drift of a release: what somebody has changed by hand in the objects that helm has made.

Helm keeps the manifest of the revision that runs. An object that differs from it would change when the manifest is
applied once more, which is tried without storing anything. What somebody has added beside the manifest is no drift:
an upgrade would leave it, too.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from local.plugins.kubernetes_provider.apply import apply
from local.plugins.kubernetes_provider.changes import compare
from local.plugins.kubernetes_provider.context import Cluster
from local.plugins.kubernetes_provider.diff import comparable
from local.plugins.kubernetes_provider.errors import ApiError
from local.plugins.kubernetes_provider.objects import Object, title
from local.plugins.kubernetes_provider.release.record import Record

_MANAGER = "helm"


@dataclass(frozen=True)
class Drift:
    """An object that is not as the manifest says.

    Args:
        wanted: the object of the manifest.
        fields: where it differs; none when it is gone.
    """

    wanted: Object
    fields: tuple[str, ...]

    def __str__(self) -> str:
        return f"{title(self.wanted)}: {', '.join(self.fields) or 'gone'}"


def find(cluster: Cluster, record: Record) -> Iterator[Drift]:
    """Compare the objects of a revision with what is there.

    A Job has done its work when it is gone, and its pods never change: Jobs are left out.

    Raises:
        ApiError: the server refuses an object of the manifest.
    """
    for obj in record.objects():
        if obj["kind"] == "Job":
            continue
        wanted = _owned(obj, record)
        try:
            live = cluster.read(wanted)
        except ApiError as error:
            if error.code != 404:
                raise
            yield Drift(wanted, ())
            continue
        tried = apply(cluster, wanted, _MANAGER, dry_run=True, force=True)
        fields = tuple(change.text() for change in compare(comparable(live), comparable(tried)))
        if fields:
            yield Drift(wanted, fields)


def _owned(obj: Object, record: Record) -> Object:
    """Add what Helm writes into each object to know it by: an apply in its name without it would take that away."""
    metadata = obj["metadata"]
    owner = {"meta.helm.sh/release-name": record.name, "meta.helm.sh/release-namespace": record.namespace}
    return {
        **obj,
        "metadata": {
            "namespace": record.namespace,
            **metadata,
            "labels": {**(metadata.get("labels") or {}), "app.kubernetes.io/managed-by": "Helm"},
            "annotations": {**(metadata.get("annotations") or {}), **owner},
        },
    }


def revert(cluster: Cluster, drift: Drift) -> None:
    """Bring an object back to the manifest."""
    apply(cluster, drift.wanted, _MANAGER, force=True)
