"""Secrets that External Secrets Operator copies from a store: Vault, OpenBao, or AWS Secrets Manager.

No value passes through this program or its state: it names entries and keys.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import pulumi
from pulumi_kubernetes.apiextensions import CustomResource
from pulumi_kubernetes.core import v1 as core

from infra import names
from infra.components.base import Component, Target
from infra.config.secret_sections import Secrets as SecretSettings
from infra.config.types import SecretSource

API: Final = "external-secrets.io/v1"
MINUTES: Final = 2
"""Most that an entry may take to be copied: an update soon tells of one that is missing."""


@dataclass(frozen=True)
class StoredSecret:
    """A Secret that has an entry in a store.

    Args:
        name: of both.
        keys: that have to be there.
        literals: values by key that are not secret, and not in the store.
    """

    name: str
    keys: tuple[str, ...]
    literals: Mapping[str, str] = field(default_factory=dict)


class ExternalSecrets(Component):
    """A store, the account by which the operator logs in to it, and a copy of each entry.

    An update ends with the operator's words where an entry or a key is missing, or the store does not answer. What was
    copied before stays meanwhile, and when it is taken out of the program.
    """

    def __init__(
        self,
        name: str,
        target: Target,
        *,
        settings: SecretSettings,
        stored: Sequence[StoredSecret],
        after: Sequence[pulumi.Resource],
    ) -> None:
        super().__init__(name, target, after)
        annotations = {"eks.amazonaws.com/role-arn": settings.identity} if settings.identity else None
        account = core.ServiceAccount(
            f"{name}-account",
            metadata=self.metadata(names.SECRET_STORE, annotations=annotations),
            automount_service_account_token=False,
            opts=self.options(),
        )
        store = CustomResource(
            f"{name}-store",
            api_version=API,
            kind="SecretStore",
            metadata=self.metadata(names.SECRET_STORE, annotations={"pulumi.com/waitFor": "condition=Ready"}),
            spec={"provider": _provider(settings)},
            opts=self.options(account, minutes=MINUTES),
        )
        prefix = prefix_of(settings, target.stack)
        for secret in stored:
            CustomResource(
                f"{name}-{secret.name}",
                api_version=API,
                kind="ExternalSecret",
                metadata=self.metadata(secret.name, annotations={"pulumi.com/waitFor": "condition=Ready"}),
                spec=_copy(secret, f"{prefix}/{secret.name}", settings.refresh),
                opts=self.options(store, minutes=MINUTES),
            )
        self.register_outputs({"secrets": [secret.name for secret in stored]})


def prefix_of(settings: SecretSettings, stack: str) -> str:
    """Return the path below which the entries of a stack are."""
    return settings.prefix or f"{names.PROJECT}/{stack}"


def _provider(settings: SecretSettings) -> dict[str, Any]:
    account = {"name": names.SECRET_STORE}
    if settings.source is SecretSource.AWS:
        # Without a role of its own the operator's is used, or what EKS gives the account.
        auth = {"auth": {"jwt": {"serviceAccountRef": account}}} if settings.identity else {}
        return {"aws": {"service": "SecretsManager", "region": settings.region, **auth}}
    authority = (
        {"caProvider": {"type": "ConfigMap", "name": settings.authority, "key": "ca.crt"}} if settings.authority else {}
    )
    login = {
        "mountPath": settings.auth,
        "role": settings.role,
        "serviceAccountRef": {**account, "audiences": [settings.audience]},
    }
    return {
        "vault": {
            "server": settings.address,
            "path": settings.mount,
            "version": "v2",
            "auth": {"kubernetes": login},
            **authority,
        }
    }


def _copy(secret: StoredSecret, entry: str, refresh: int) -> dict[str, Any]:
    """The copy of an entry: keys that have to be there, and whatever else it has."""
    literals = {"mergePolicy": "Merge", "data": dict(secret.literals)} if secret.literals else {}
    return {
        "refreshInterval": f"{refresh}s",
        "secretStoreRef": {"kind": "SecretStore", "name": names.SECRET_STORE},
        # Secrets of a stack that has generated them until now become copies, with the values of the store.
        "target": {
            "name": secret.name,
            "creationPolicy": "Owner",
            "deletionPolicy": "Retain",
            **({"template": literals} if literals else {}),
        },
        "dataFrom": [{"extract": {"key": entry}}],
        "data": [{"secretKey": key, "remoteRef": {"key": entry, "property": key}} for key in secret.keys],
    }
