"""The simulated data centre: nodes in three zones, and volumes that can be attached within theirs."""

from __future__ import annotations

from typing import Any

Object = dict[str, Any]

ZONES = ("zone-a", "zone-b", "zone-c")
NODES = 100
ZONE, HOST = "topology.kubernetes.io/zone", "kubernetes.io/hostname"
_VOLUMES = 8
"""In each zone: the stack claims nine in all, and none of them has to go where the last one is."""


def node(number: int) -> Object:
    """A node like those that clouds rent out: 4 CPU, 16 GiB."""
    name = f"node-{number:03}"
    room = {"cpu": "4", "memory": "16Gi", "ephemeral-storage": "100Gi", "pods": "110"}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": {HOST: name, ZONE: ZONES[number % len(ZONES)]}},
        "status": {"capacity": room, "allocatable": room},
    }


def nodes() -> list[Object]:
    return [node(number) for number in range(NODES)]


def storage() -> list[Object]:
    """The default class, and volumes made beforehand, since nobody here makes them when they are asked for."""
    default = {"storageclass.kubernetes.io/is-default-class": "true"}
    standard: Object = {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": "standard", "annotations": default},
        "provisioner": "kubernetes.io/no-provisioner",
        "volumeBindingMode": "WaitForFirstConsumer",
    }
    return [standard, *(_volume(zone, number) for zone in ZONES for number in range(_VOLUMES))]


def _volume(zone: str, number: int) -> Object:
    name = f"{zone}-{number}"
    term = {"matchExpressions": [{"key": ZONE, "operator": "In", "values": [zone]}]}
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": name},
        "spec": {
            "capacity": {"storage": "20Gi"},
            "accessModes": ["ReadWriteOnce"],
            "storageClassName": "standard",
            "csi": {"driver": "simulated.example.com", "volumeHandle": name},
            "nodeAffinity": {"required": {"nodeSelectorTerms": [term]}},
        },
    }


def operator_pods(cluster: Object, poolers: list[Object]) -> list[Object]:
    """The pods that CloudNativePG would make: it needs a PostgreSQL that answers it, and there is none here.

    Their placement is that of the operator: the anti-affinity that it makes of `spec.affinity` (pkg/specs/pods.go), the
    cluster's constraints and the poolers' own template.
    """
    name = cluster["metadata"]["name"]
    labels = {"cnpg.io/cluster": name, "cnpg.io/podRole": "instance"}
    wanted = cluster["spec"]["affinity"]
    term = {"topologyKey": wanted["topologyKey"], "labelSelector": {"matchLabels": labels}}
    database = {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": {"name": name},
        "spec": {
            "serviceName": name,
            "replicas": cluster["spec"]["instances"],
            "podManagementPolicy": "Parallel",
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": {**labels, **cluster["spec"]["inheritedMetadata"]["labels"]}},
                "spec": {
                    **_restricted("postgres", cluster["spec"]["imageName"], cluster["spec"]["resources"]),
                    "affinity": {
                        "podAntiAffinity": {
                            "preferredDuringSchedulingIgnoredDuringExecution": [
                                {"weight": 100, "podAffinityTerm": term}
                            ]
                        }
                    },
                    "topologySpreadConstraints": cluster["spec"]["topologySpreadConstraints"],
                },
            },
        },
    }
    return [database, *map(_pooler, poolers)]


def _pooler(pooler: Object) -> Object:
    name, template = pooler["metadata"]["name"], pooler["spec"]["template"]
    labels = {"cnpg.io/poolerName": name}
    [container] = template["spec"]["containers"]
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {
            "replicas": pooler["spec"]["instances"],
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": {**template["metadata"]["labels"], **labels}},
                "spec": {
                    **_restricted("pgbouncer", container["image"], container["resources"]),
                    "topologySpreadConstraints": template["spec"]["topologySpreadConstraints"],
                },
            },
        },
    }


def _restricted(name: str, image: str, resources: Object) -> Object:
    """A pod that the namespace takes: it enforces the `restricted` standard."""
    security = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
    return {
        "securityContext": {"runAsNonRoot": True, "runAsUser": 26, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [{"name": name, "image": image, "resources": resources, "securityContext": security}],
    }
