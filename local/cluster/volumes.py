"""Provisioner of the storage class `standard`: a directory for each claim, removed with it.

A directory is open to every user, since pods run as users of their own and the kubelet changes no owners on
such volumes; the directory above it is not, so nobody else on this machine gets at it.
"""

from __future__ import annotations

import re
import shutil

import requests

from local import paths
from local.cluster import control_plane, controller
from local.cluster.controller import Object

PROVISIONER = "primetrade.local/directory"
SELECTED_NODE = "volume.kubernetes.io/selected-node"
PROVISIONED_BY = "pv.kubernetes.io/provisioned-by"
HOST_NAME = "kubernetes.io/hostname"
VOLUMES = "/api/v1/persistentvolumes"


def is_our_class(storage_class: Object) -> bool:
    provisioner: str = storage_class["provisioner"]
    return provisioner == PROVISIONER


def wants_volume(claim: Object, classes: set[str]) -> bool:
    """Tell whether a claim waits for this provisioner: of its class, its pod placed, and without a volume."""
    spec, annotations = claim["spec"], claim["metadata"].get("annotations", {})
    return (
        spec.get("storageClassName") in classes
        and not spec.get("volumeName")
        and SELECTED_NODE in annotations
        and "deletionTimestamp" not in claim["metadata"]
    )


def volume_for(claim: Object, reclaim_policy: str) -> Object:
    """Return the volume for a claim, tied to the node on which its pod has been placed, as a local disk would be."""
    metadata, spec = claim["metadata"], claim["spec"]
    name = f"pvc-{metadata['uid']}"
    reference = {key: metadata[key] for key in ("name", "namespace", "uid")}
    term = {"key": HOST_NAME, "operator": "In", "values": [metadata["annotations"][SELECTED_NODE]]}
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": name, "annotations": {PROVISIONED_BY: PROVISIONER}},
        "spec": {
            "capacity": {"storage": spec["resources"]["requests"]["storage"]},
            "accessModes": spec["accessModes"],
            "volumeMode": "Filesystem",
            "persistentVolumeReclaimPolicy": reclaim_policy,
            "storageClassName": spec["storageClassName"],
            "claimRef": {"apiVersion": "v1", "kind": "PersistentVolumeClaim", **reference},
            "hostPath": {"path": str(paths.VOLUMES / name), "type": "Directory"},
            "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [term]}]}},
        },
    }


def wants_expansion(claim: Object, classes: set[str]) -> bool:
    """Tell whether a claim that has a volume of ours asks for a larger one. The API server lets none shrink."""
    capacity = claim.get("status", {}).get("capacity")
    return (
        claim["spec"].get("storageClassName") in classes
        and bool(capacity)
        and capacity["storage"] != claim["spec"]["resources"]["requests"]["storage"]
    )


def expand(session: requests.Session, claim: Object) -> None:
    """Set the capacity of a claim and its volume to the requested size: a directory has all of its disk anyway."""
    metadata = claim["metadata"]
    size = {"capacity": {"storage": claim["spec"]["resources"]["requests"]["storage"]}}
    status = f"/api/v1/namespaces/{metadata['namespace']}/persistentvolumeclaims/{metadata['name']}/status"
    for path, body in ((f"{VOLUMES}/{claim['spec']['volumeName']}", {"spec": size}), (status, {"status": size})):
        headers = {"Content-Type": "application/merge-patch+json"}
        url = control_plane.LOOPBACK_URL + path
        session.patch(url, json=body, headers=headers, timeout=10).raise_for_status()


def is_released(volume: Object) -> bool:
    """Tell whether a volume of ours may go: its claim is gone and its policy is to delete."""
    return bool(
        volume["metadata"].get("annotations", {}).get(PROVISIONED_BY) == PROVISIONER
        and volume["spec"]["persistentVolumeReclaimPolicy"] == "Delete"
        and volume.get("status", {}).get("phase") == "Released"
    )


def reconcile(session: requests.Session) -> None:
    """Make the volumes that are missing and remove those that have been released."""
    classes = {
        entry["metadata"]["name"]: entry.get("reclaimPolicy", "Delete")
        for entry in controller.items(session, "/apis/storage.k8s.io/v1/storageclasses")
        if is_our_class(entry)
    }
    for claim in controller.items(session, "/api/v1/persistentvolumeclaims"):
        if wants_volume(claim, set(classes)):
            volume = volume_for(claim, classes[claim["spec"]["storageClassName"]])
            directory = paths.VOLUMES / volume["metadata"]["name"]
            directory.mkdir(parents=True, exist_ok=True)
            directory.chmod(0o777)
            controller.create(session, VOLUMES, volume)  # one that is there already is being bound
        elif wants_expansion(claim, set(classes)):
            expand(session, claim)
    for volume in controller.items(session, VOLUMES):
        name = volume["metadata"]["name"]
        if is_released(volume) and re.fullmatch(r"pvc-[0-9a-f-]+", name):
            shutil.rmtree(paths.VOLUMES / name, ignore_errors=True)
            session.delete(f"{control_plane.LOOPBACK_URL}{VOLUMES}/{name}", timeout=10).raise_for_status()


def main() -> None:
    """Reconcile until the process is ended."""
    paths.VOLUMES.mkdir(parents=True, exist_ok=True)
    paths.VOLUMES.chmod(0o700)
    controller.keep(reconcile)


if __name__ == "__main__":
    main()
