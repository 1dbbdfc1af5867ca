"""Create and update an object: applied, then awaited."""

import time
from collections.abc import Callable

from local.plugins.kubernetes_provider.apply import PATCH_FORCE, apply, leave_scaled_replicas
from local.plugins.kubernetes_provider.awaiters.wait import NotReadyError, rule_for, seconds, wait_until_ready
from local.plugins.kubernetes_provider.check import normalise
from local.plugins.kubernetes_provider.context import Cluster
from local.plugins.kubernetes_provider.discovery import UnknownKindError
from local.plugins.kubernetes_provider.errors import ApiError, CancelledError, ProviderError
from local.plugins.kubernetes_provider.objects import Object, dig, flag, identity, title
from local.plugins.kubernetes_provider.state import FIELD_MANAGER, outputs
from local.plugins.kubernetes_provider.values import UNKNOWN, Tree, has_unknown, plain

# How long to wait for what another resource of the same update is just making, in seconds: the namespace, the
# definition of a kind, the pods behind a webhook. Where the program says so (depends_on), nothing is waited for here.
PREREQUISITE_SECONDS = 60.0
_RETRY_SECONDS = 1.0

_UPSERT = "pulumi.com/upsert"

# Metadata of a dry run that a real create makes up anew.
_DRY_RUN_METADATA = ("uid", "resourceVersion", "creationTimestamp", "generation", "managedFields")


class InitFailedError(Exception):
    """The object is made, but not ready: the engine keeps it, and repairs it at the next update."""

    def __init__(self, identity_: str, state: Tree, inputs: Tree, reasons: list[str]) -> None:
        """Args: identity_, state, inputs: what the engine keeps. reasons: why it is not ready."""
        super().__init__("; ".join(reasons))
        self.identity = identity_
        self.state = state
        self.inputs = inputs
        self.reasons = reasons


def preview_create(cluster: Cluster, inputs: Tree) -> Tree:
    """Give the state that a new object would have, as far as that can be known; nothing is stored."""
    if has_unknown(inputs):
        return outputs(normalise(plain(inputs)), inputs)
    obj = normalise(plain(inputs))
    live = _existing(cluster, obj)
    if live is not None and _applied_by(live, FIELD_MANAGER):
        # This update replaces it by one of the same name: until it is gone, a dry run of that would fail.
        return outputs(obj, inputs)
    _refuse_existing(cluster, obj, live)
    tried = dry_run_apply(cluster, obj, FIELD_MANAGER)
    return outputs(obj if tried is None else _without_dry_run_values(tried, obj), inputs)


def dry_run_apply(cluster: Cluster, obj: Object, manager: str) -> Object | None:
    """Dry-run the apply of an object; None when that needs another resource of the update first.

    Raises:
        ApiError: the server would refuse the object.
    """
    try:
        return apply(cluster, obj, manager, dry_run=True)
    except UnknownKindError:
        return None
    except ApiError as error:
        if error.namespace_missing or is_webhook_failure(error):
            return None
        raise


def is_webhook_failure(error: ApiError) -> bool:
    """Tell whether a webhook did not answer, or does not support dry runs: its operator may just be starting."""
    return (error.code >= 500 and "failed calling webhook" in error.server_message) or (
        error.code == 400 and "dry run" in error.server_message
    )


def create(cluster: Cluster, urn: str, inputs: Tree, custom_timeout: float) -> tuple[str, Tree]:
    """Make a new object and wait until it is ready.

    Args:
        cluster: the configured provider.
        urn: the resource, for progress.
        inputs: the checked inputs.
        custom_timeout: the resource's own timeout in seconds; 0 when it has none.

    Returns:
        The object's id and its state.

    Raises:
        ProviderError: it exists already, or the server refuses it.
        InitFailedError: it is made, but not ready.
    """
    obj = normalise(plain(inputs))
    rule_for(obj)  # an annotation that is not understood is refused before anything is made
    timeout = seconds(obj, custom_timeout)

    def make() -> Object:
        _refuse_existing(cluster, obj, _existing(cluster, obj))
        return apply(cluster, obj, FIELD_MANAGER)

    live = with_prerequisites(cluster, urn, make)
    return _await(cluster, urn, live, inputs, FIELD_MANAGER, timeout)


def update(cluster: Cluster, urn: str, inputs: Tree, old_inputs: Tree, manager: str, custom_timeout: float) -> Tree:
    """Change an object and wait until it is ready again. One that has gone meanwhile is created again.

    Args: as for `create`; old_inputs: those of the last update. manager: the field manager that has applied it so far.
    """
    obj = normalise(plain(inputs))
    rule_for(obj)
    timeout = seconds(obj, custom_timeout)

    def change() -> Object:
        return apply(cluster, _for_update(cluster, obj, old_inputs, manager), manager)

    live = with_prerequisites(cluster, urn, change)
    return _await(cluster, urn, live, inputs, manager, timeout)[1]


def preview_update(cluster: Cluster, inputs: Tree, old_inputs: Tree, manager: str) -> Tree:
    """Give the state that an object would have after an update; nothing is stored."""
    if has_unknown(inputs):
        return outputs(normalise(plain(inputs)), inputs, manager)
    obj = normalise(plain(inputs))
    tried = dry_run_apply(cluster, _for_update(cluster, obj, old_inputs, manager), manager)
    return outputs(obj if tried is None else tried, inputs, manager)


def _for_update(cluster: Cluster, obj: Object, old_inputs: Tree, manager: str) -> Object:
    if dig(obj, "spec", "replicas") is None:
        return obj
    try:
        return leave_scaled_replicas(obj, normalise(plain(old_inputs)), cluster.read(obj), manager)
    except (ApiError, UnknownKindError):
        return obj


def _existing(cluster: Cluster, obj: Object) -> Object | None:
    try:
        return cluster.read(obj)
    except UnknownKindError:
        return None
    except ApiError as error:
        if error.code == 404:
            return None
        raise


def _applied_by(live: Object, manager: str) -> bool:
    entries = dig(live, "metadata", "managedFields", default=[])
    return any(entry.get("manager") == manager and entry.get("operation") == "Apply" for entry in entries)


def _refuse_existing(cluster: Cluster, obj: Object, live: Object | None) -> None:
    if live is None or cluster.settings.upsert_existing_objects or flag(obj, _UPSERT) or flag(obj, PATCH_FORCE):
        return
    raise ProviderError(
        f"{title(obj)} exists already and is not in this stack: delete it, give the new one another name, "
        "take it over with `pulumi import`, or set upsertExistingObjects on the provider"
    )


def with_prerequisites(cluster: Cluster, urn: str, attempt: Callable[[], Object]) -> Object:
    """Try until what the object needs is there, for `PREREQUISITE_SECONDS` at most."""
    deadline = time.monotonic() + PREREQUISITE_SECONDS
    while True:
        try:
            return attempt()
        except UnknownKindError as error:
            missing = "the API server to serve this kind"
            refusal: ProviderError = error
        except ApiError as error:
            if error.namespace_missing:
                missing = f"namespace {error.details.get('name', '')}"
            elif is_webhook_failure(error):
                missing = "the webhook that checks this kind"
            else:
                raise
            refusal = error
        if time.monotonic() >= deadline:
            raise refusal
        cluster.engine.status(urn, f"Waiting for {missing}")
        if cluster.client.cancelled.wait(_RETRY_SECONDS):
            raise CancelledError(f"cancelled while waiting for {missing}")


def _await(cluster: Cluster, urn: str, live: Object, inputs: Tree, manager: str, timeout: float) -> tuple[str, Tree]:
    try:
        live = wait_until_ready(cluster, urn, live, timeout)
    except NotReadyError as error:
        state = outputs(error.live, inputs, manager)
        raise InitFailedError(identity(error.live), state, inputs, error.reasons) from error
    return identity(live), outputs(live, inputs, manager)


def _without_dry_run_values(tried: Object, obj: Object) -> Object:
    """Mark as unknown what the server makes up anew in a real create."""
    metadata = {key: value for key, value in tried["metadata"].items() if key not in _DRY_RUN_METADATA}
    seen = {**{key: value for key, value in tried.items() if key != "status"}, "metadata": metadata}
    if (
        tried.get("apiVersion") == "v1"
        and tried.get("kind") == "Service"
        and dig(obj, "spec", "type") != "ExternalName"
    ):
        given = obj.get("spec") or {}
        addresses = {key: UNKNOWN for key in ("clusterIP", "clusterIPs") if given.get(key) is None}
        seen["spec"] = {**seen["spec"], **addresses}
    return seen
