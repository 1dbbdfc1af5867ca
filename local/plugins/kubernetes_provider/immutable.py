"""Fields that the API server never changes in place: a change of one means a new object.

Source: the validation of each kind in the Kubernetes API server (pkg/apis/*/validation), as its errors name them.
For kinds that are not here the API server's own refusal is shown; a custom resource is never replaced by guess.
"""

from dataclasses import dataclass

from local.plugins.kubernetes_provider.objects import Object

Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Rule:
    """Immutable parts of a kind: everything under `under`, but for what starts with one of `except_`."""

    under: str
    except_: tuple[str, ...] = ()

    def covers(self, path: Path) -> bool:
        """Tell whether a changed path lies in the immutable part."""
        dotted = ".".join(str(part) for part in path)
        return _starts(dotted, self.under) and not any(_starts(dotted, part) for part in self.except_)


def _starts(dotted: str, prefix: str) -> bool:
    return dotted == prefix or dotted.startswith(f"{prefix}.")


_IDENTITY = (Rule("apiVersion"), Rule("kind"), Rule("metadata.name"), Rule("metadata.namespace"))
_ROLE_REF = (Rule("roleRef"),)
_CLAIM_RESIZE = ("spec.resources.requests", "spec.resources.limits", "spec.volumeAttributesClassName")
_STATEFUL_SET_FREE = (
    "spec.replicas",
    "spec.template",
    "spec.updateStrategy",
    "spec.minReadySeconds",
    "spec.ordinals",
    "spec.revisionHistoryLimit",
    "spec.persistentVolumeClaimRetentionPolicy",
)
_VOLUME_FREE = (
    "spec.accessModes",
    "spec.capacity",
    "spec.claimRef",
    "spec.mountOptions",
    "spec.nodeAffinity",
    "spec.persistentVolumeReclaimPolicy",
    "spec.storageClassName",
    "spec.volumeAttributesClassName",
)

# By API group (not version) and kind.
_RULES: dict[tuple[str, str], tuple[Rule, ...]] = {
    ("apps", "Deployment"): (Rule("spec.selector"),),
    ("apps", "ReplicaSet"): (Rule("spec.selector"),),
    ("apps", "DaemonSet"): (Rule("spec.selector"),),
    ("apps", "StatefulSet"): (Rule("spec", _STATEFUL_SET_FREE),),
    ("batch", "Job"): (
        Rule("spec.template"),
        Rule("spec.selector"),
        Rule("spec.completions"),
        Rule("spec.completionMode"),
        Rule("spec.podFailurePolicy"),
        Rule("spec.backoffLimitPerIndex"),
        Rule("spec.managedBy"),
    ),
    ("", "Service"): (Rule("spec.clusterIP"),),
    ("", "PersistentVolumeClaim"): (Rule("spec", _CLAIM_RESIZE),),
    ("", "PersistentVolume"): (Rule("spec", _VOLUME_FREE),),
    ("", "Secret"): (Rule("type"),),
    ("", "ResourceQuota"): (Rule("spec.scopes"), Rule("spec.scopeSelector")),
    ("rbac.authorization.k8s.io", "RoleBinding"): _ROLE_REF,
    ("rbac.authorization.k8s.io", "ClusterRoleBinding"): _ROLE_REF,
    ("storage.k8s.io", "StorageClass"): (
        Rule("provisioner"),
        Rule("parameters"),
        Rule("reclaimPolicy"),
        Rule("volumeBindingMode"),
    ),
    ("scheduling.k8s.io", "PriorityClass"): (Rule("value"), Rule("preemptionPolicy")),
    ("node.k8s.io", "RuntimeClass"): (Rule("handler"),),
    ("networking.k8s.io", "IngressClass"): (Rule("spec.controller"),),
    ("discovery.k8s.io", "EndpointSlice"): (Rule("addressType"),),
    ("apiextensions.k8s.io", "CustomResourceDefinition"): (
        Rule("spec.group"),
        Rule("spec.scope"),
        Rule("spec.names.kind"),
        Rule("spec.names.plural"),
    ),
}

# A Pod's containers keep everything but their image.
_POD_FREE = ("spec.activeDeadlineSeconds", "spec.tolerations", "spec.terminationGracePeriodSeconds")


def must_replace(obj: Object, path: Path, *, config_map_mutable: bool, secret_mutable: bool) -> bool:
    """Tell whether a change at `path` needs a new object.

    Args:
        obj: the new inputs.
        path: the changed place.
        config_map_mutable: provider setting `enableConfigMapMutable`; without it a ConfigMap's change makes a new one,
            so that what reads it is rolled out anew.
        secret_mutable: provider setting `enableSecretMutable`, the same for a Secret.
    """
    group = str(obj.get("apiVersion", "")).rpartition("/")[0]
    kind = str(obj.get("kind", ""))
    if any(rule.covers(path) for rule in (*_IDENTITY, *_RULES.get((group, kind), ()))):
        return True
    if (group, kind) == ("", "ConfigMap"):
        return path[0] in ("data", "binaryData") and (not config_map_mutable or obj.get("immutable") is True)
    if (group, kind) == ("", "Secret"):
        return path[0] in ("data", "stringData") and (not secret_mutable or obj.get("immutable") is True)
    if (group, kind) == ("", "Pod"):
        return _pod_must_replace(path)
    return False


def _pod_must_replace(path: Path) -> bool:
    if path[0] != "spec" or Rule("spec", _POD_FREE).covers(path) is False:
        return False
    is_image = len(path) == 4 and path[1] in ("containers", "initContainers") and path[3] == "image"
    return not is_image
