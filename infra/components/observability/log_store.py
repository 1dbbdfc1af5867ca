"""Elasticsearch and Kibana of the stack's own, as objects of the cluster's ECK operator."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

import pulumi
from pulumi_kubernetes.apiextensions import CustomResource
from pulumi_kubernetes.networking import v1 as networking

from infra import names
from infra.components import network, pods
from infra.components.base import Component, Target
from infra.components.network import Flow, Peer
from infra.components.observability.filebeat import Shipping
from infra.components.secrets import GeneratedSecret, random_keys
from infra.config import phase_spec

VERSION: Final = "8.19.6"

STORE: Final = {"app.kubernetes.io/part-of": names.PROJECT, "app.kubernetes.io/component": "log-store"}
VIEWER: Final = {"app.kubernetes.io/part-of": names.PROJECT, "app.kubernetes.io/component": "log-viewer"}
"""Labels of the pods of Elasticsearch and of Kibana."""


def shippers_secret(shipping: Shipping) -> GeneratedSecret:
    """The Secret by which the shipper knows Elasticsearch, and Elasticsearch the shipper.

    It may bring the template and add documents. It can neither read nor change nor remove what is there.
    """
    role = {
        "cluster": ["monitor", "manage_index_templates"],
        "indices": [{"names": [shipping.stream], "privileges": ["auto_configure", "create_doc"]}],
    }
    return random_keys(
        names.LOGS,
        names.LOGS_PASSWORD,
        literals={
            "username": names.LOGS_USER,
            "roles": names.LOGS_USER,
            "roles.yml": json.dumps({names.LOGS_USER: role}),
        },
    )


class LogStore(Component):
    """The operator makes the certificates, the user `elastic` and all pods; Kibana is told of Elasticsearch by it.

    Args:
        row: sizes.
        shipper: who sends lines.
        operator_namespace: where the operator is, which asks Elasticsearch how it is.
    """

    def __init__(
        self,
        name: str,
        target: Target,
        *,
        row: phase_spec.LogStore,
        shipper: Peer,
        operator_namespace: str,
        after: Sequence[pulumi.Resource],
    ) -> None:
        super().__init__(name, target, after)
        store, among = names.ELASTICSEARCH_PORT, names.ELASTICSEARCH_PORT_AMONG_NODES
        itself, operator = Peer(STORE), Peer(namespace=operator_namespace)
        store_flows = self._flows(
            "store",
            STORE,
            ingress=(
                Flow(itself, (store, among)),
                *(Flow(peer, (store,)) for peer in (shipper, Peer(VIEWER), operator)),
            ),
            egress=(Flow(itself, (store, among)),),
        )
        viewer_flows = self._flows("viewer", VIEWER, egress=(Flow(itself, (store,)),))
        elasticsearch = self._object("Elasticsearch", elasticsearch_spec(row, target), store_flows)
        self._object("Kibana", kibana_spec(row, target), viewer_flows, elasticsearch)
        self.register_outputs({"service": names.ELASTICSEARCH_SERVICE})

    def _flows(
        self, part: str, labels: Mapping[str, str], ingress: tuple[Flow, ...] = (), egress: tuple[Flow, ...] = ()
    ) -> pulumi.Resource:
        return networking.NetworkPolicy(
            f"{self.name}-{part}-flows",
            metadata=self.metadata(f"{names.LOGS}-{part}", annotations=pods.OPERATORS_PODS),
            spec=network.spec(labels, ingress, egress),
            opts=self.options(),
        )

    def _object(self, kind: str, spec: dict[str, Any], *after: pulumi.Resource) -> pulumi.Resource:
        return CustomResource(
            f"{self.name}-{kind.lower()}",
            api_version=f"{kind.lower()}.k8s.elastic.co/v1",
            kind=kind,
            metadata=self.metadata(names.LOGS),
            spec=spec,
            opts=self.options(*after, protect=kind == "Elasticsearch"),
        )


def elasticsearch_spec(row: phase_spec.LogStore, target: Target) -> dict[str, Any]:
    """Specification of the operator's Elasticsearch."""
    template = _pod("elasticsearch", STORE, row.elasticsearch, target)
    # Where nodes allow it: the loss of one of them should be that of one node of Elasticsearch.
    template["spec"]["topologySpreadConstraints"] = pods.spread(STORE)
    return {
        "version": VERSION,
        "auth": {"fileRealm": [{"secretName": names.LOGS}], "roles": [{"secretName": names.LOGS}]},
        # Its volumes stay when somebody removes the object, and go with the namespace.
        "volumeClaimDeletePolicy": "DeleteOnScaledownOnly",
        "nodeSets": [
            {
                "name": "default",
                "count": row.nodes,
                # Mapping files into memory asks for a setting of the node's kernel, which takes a privileged container.
                "config": {"node.store.allow_mmap": False},
                "podTemplate": template,
                "volumeClaimTemplates": [
                    {
                        "metadata": {"name": "elasticsearch-data"},
                        "spec": pods.claim_spec(row.storage, target.storage_class),
                    }
                ],
            }
        ],
    }


def kibana_spec(row: phase_spec.LogStore, target: Target) -> dict[str, Any]:
    """Specification of the operator's Kibana, which asks nothing of the internet."""
    return {
        "version": VERSION,
        "count": 1,
        "elasticsearchRef": {"name": names.LOGS},
        "config": {"telemetry.enabled": False, "xpack.fleet.isAirGapped": True},
        "podTemplate": _pod("kibana", VIEWER, row.kibana, target),
    }


def _pod(container: str, labels: Mapping[str, str], compute: phase_spec.Compute, target: Target) -> dict[str, Any]:
    """What is said of the operator's pods; it takes the capabilities away and closes the root file system itself."""
    return {
        "metadata": {"labels": dict(labels)},
        "spec": {
            "automountServiceAccountToken": False,
            **({"imagePullSecrets": target.pull_secrets} if target.pull_secrets else {}),
            "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
            "containers": [{"name": container, "resources": compute.resources()}],
        },
    }
