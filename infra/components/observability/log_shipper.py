"""The shipper: one Filebeat on each node reads what the stack's pods write, and hands it to Elasticsearch."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import pulumi
from pulumi_kubernetes.apps import v1 as apps
from pulumi_kubernetes.core import v1 as core
from pulumi_kubernetes.meta import v1 as meta
from pulumi_kubernetes.networking import v1 as networking

from infra import names
from infra.components import network, pods
from infra.components.base import Component, Target
from infra.components.network import Flow
from infra.components.observability import filebeat

# The one without parts under Elastic's own licence, as old as the Elasticsearch of `log_store.py`. Since 8.11 it takes
# an older one too (elastic/beats, pull request 36884).
IMAGE: Final = "docker.elastic.co/beats/filebeat-oss:8.19.6"

_TRUSTED: Final = "/run/secrets/trusted"


@dataclass(frozen=True)
class Receiver:
    """The Elasticsearch that it calls.

    Args:
        endpoint: address, with its port.
        user: whom it is known as; empty for an API key.
        key: key of the Secret `names.LOGS` with the password or the API key.
        certificate: Secret with the certificate of who signed the server's own, under `names.LOGS_CA`.
        certificate_needed: whether there is none without it.
        flow: how it is reached.
    """

    endpoint: str
    user: str
    key: str
    certificate: str
    certificate_needed: bool
    flow: Flow

    def credentials(self) -> dict[str, str]:
        """What the output of Filebeat's configuration says of who calls."""
        return {"username": self.user, "password": "${SECRET}"} if self.user else {"api_key": "${SECRET}"}


class LogShipper(Component):
    """Reads the node's folder of logs, which only root may: it is a pod of a namespace that allows that.

    What it has read, and what waits to be sent, is on the node: a new pod goes on where the one before it ended.

    Args:
        shipping: what is read, and how.
        receiver: who is called.
    """

    def __init__(
        self,
        name: str,
        target: Target,
        *,
        shipping: filebeat.Shipping,
        receiver: Receiver,
        after: Sequence[pulumi.Resource],
    ) -> None:
        super().__init__(name, target, after)
        labels = target.labels(name)
        files = filebeat.files(shipping)
        version = hashlib.sha256("".join(files.values()).encode()).hexdigest()[:12]
        config = core.ConfigMap(f"{name}-config", metadata=self.metadata(names.LOGS), data=files, opts=self.options())
        flows = networking.NetworkPolicy(
            f"{name}-flows",
            metadata=self.metadata(names.LOGS),
            spec=network.spec(labels, egress=(receiver.flow,)),
            opts=self.options(),
        )
        apps.DaemonSet(
            f"{name}-server",
            metadata=self.metadata(
                names.LOGS,
                annotations={
                    **pods.PULL_EXCEPTIONS,
                    # A release does not wait for it: the Secret that it needs may come after the namespace.
                    "pulumi.com/skipAwait": "true",
                    "checkov.io/skip3": "CKV_K8S_35=Filebeat takes a password from a variable or a file that it writes",
                    "checkov.io/skip4": "CKV_K8S_40=the files that it reads are root's, with mode 640",
                },
            ),
            spec=apps.DaemonSetSpecArgs(
                selector=meta.LabelSelectorArgs(match_labels=labels),
                template=core.PodTemplateSpecArgs(
                    # A changed configuration is a changed pod, or it would run on with the former one.
                    metadata=meta.ObjectMetaArgs(labels=labels, annotations={"task-manager/configuration": version}),
                    spec=self._pod(shipping, receiver),
                ),
            ),
            opts=self.options(config, flows),
        )
        self.register_outputs({"stream": shipping.stream})

    def _pod(self, shipping: filebeat.Shipping, receiver: Receiver) -> core.PodSpecArgs:
        secret = core.SecretKeySelectorArgs(name=names.LOGS, key=receiver.key)
        node = core.ObjectFieldSelectorArgs(field_path="spec.nodeName")
        certificate = core.SecretVolumeSourceArgs(
            secret_name=receiver.certificate,
            items=[core.KeyToPathArgs(key=names.LOGS_CA, path=names.LOGS_CA)],
            optional=not receiver.certificate_needed,
        )
        alive = core.HTTPGetActionArgs(path="/", port="status")
        return core.PodSpecArgs(
            automount_service_account_token=False,
            image_pull_secrets=self.target.pull_secrets,
            security_context=core.PodSecurityContextArgs(
                # The kubelet's files have mode 640 and are root's. As root without any capability it reads those, and
                # nothing that is another user's.
                run_as_user=0,
                run_as_non_root=False,
                seccomp_profile=core.SeccompProfileArgs(type="RuntimeDefault"),
            ),
            containers=[
                core.ContainerArgs(
                    name="filebeat",
                    image=IMAGE,
                    image_pull_policy="IfNotPresent",
                    command=["filebeat"],
                    args=filebeat.arguments(),
                    env=[
                        core.EnvVarArgs(name="SECRET", value_from=core.EnvVarSourceArgs(secret_key_ref=secret)),
                        core.EnvVarArgs(name="NODE_NAME", value_from=core.EnvVarSourceArgs(field_ref=node)),
                        # Beside the authorities that the image knows.
                        core.EnvVarArgs(name="SSL_CERT_DIR", value=_TRUSTED),
                    ],
                    ports=[core.ContainerPortArgs(name="status", container_port=filebeat.STATUS_PORT)],
                    resources=pods.resources(shipping.row.shipper),
                    security_context=pods.container_security(),
                    # Whether it runs, and not whether Elasticsearch does: that would restart it, or hold up a rollout,
                    # for nothing.
                    liveness_probe=core.ProbeArgs(http_get=alive, period_seconds=10, failure_threshold=6),
                    readiness_probe=core.ProbeArgs(http_get=alive, period_seconds=5),
                    volume_mounts=[
                        core.VolumeMountArgs(name="config", mount_path=filebeat.CONFIG, read_only=True),
                        core.VolumeMountArgs(name="trusted", mount_path=_TRUSTED, read_only=True),
                        core.VolumeMountArgs(name="pods", mount_path=filebeat.PODS, read_only=True),
                        core.VolumeMountArgs(name="data", mount_path=filebeat.DATA),
                    ],
                )
            ],
            volumes=[
                core.VolumeArgs(
                    name="config", config_map=core.ConfigMapVolumeSourceArgs(name=names.LOGS, default_mode=0o440)
                ),
                core.VolumeArgs(name="trusted", secret=certificate),
                core.VolumeArgs(
                    name="pods", host_path=core.HostPathVolumeSourceArgs(path=filebeat.PODS, type="Directory")
                ),
                core.VolumeArgs(
                    name="data",
                    host_path=core.HostPathVolumeSourceArgs(
                        path=f"/var/lib/{self.target.namespace}", type="DirectoryOrCreate"
                    ),
                ),
            ],
        )
