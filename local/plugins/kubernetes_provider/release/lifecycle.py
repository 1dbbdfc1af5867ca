"""Lifecycle of Helm releases."""

import tempfile
from pathlib import Path
from typing import Any

from local.plugins.kubernetes_provider.changes import compare
from local.plugins.kubernetes_provider.context import Cluster
from local.plugins.kubernetes_provider.create import InitFailedError
from local.plugins.kubernetes_provider.diff import Difference
from local.plugins.kubernetes_provider.errors import CancelledError, ProviderError
from local.plugins.kubernetes_provider.lifecycle import ReadResult, ResourceRef
from local.plugins.kubernetes_provider.naming import Autonaming
from local.plugins.kubernetes_provider.objects import split_identity
from local.plugins.kubernetes_provider.release import commands, drift, recovery, status, tool
from local.plugins.kubernetes_provider.release import record as records
from local.plugins.kubernetes_provider.release.inputs import ReleaseInputs, complete, parse
from local.plugins.kubernetes_provider.release.progress import Progress
from local.plugins.kubernetes_provider.secret_values import mark_like, redact
from local.plugins.kubernetes_provider.values import Secret, Tree, has_unknown, plain


class ReleaseLifecycle:
    """Lifecycle of Helm releases, through the helm command."""

    def __init__(self, cluster: Cluster) -> None:
        """Args: cluster: where the releases live."""
        self._cluster = cluster

    def check(self, resource: ResourceRef, news: Tree, olds: Tree, seed: bytes, naming: Autonaming) -> Tree:
        """Complete the inputs."""
        return complete(
            news,
            olds,
            resource_name=resource.name,
            seed=seed,
            naming=naming,
            default_namespace=self._cluster.default_namespace,
        )

    def diff(self, resource: ResourceRef, old_inputs: Tree, state: Tree, news: Tree) -> Difference:
        """Compare the inputs with those of the last update; another name or namespace is another release."""
        del resource
        old = status.inputs_from(plain(old_inputs or state))
        changes = tuple(compare(old, status.inputs_from(plain(news))))
        replaces = tuple(change for change in changes if change.path[0] in ("name", "namespace"))
        return Difference(changes, replaces)

    def create(self, resource: ResourceRef, inputs: Tree, *, preview: bool) -> tuple[str, Tree]:
        """Install the release; give its id and its state."""
        if preview:
            self._try_rendering(inputs)
            return "", status.preview(inputs)
        wanted = parse(inputs)
        recovery.make_way(self._cluster, resource.urn, wanted)
        return wanted.identity, self._upgrade(resource, inputs, wanted, what="installation")

    def read(self, resource: ResourceRef, inputs: Tree, state: Tree) -> ReadResult | None:
        """Read the release; None when it is gone."""
        namespace, name = split_identity(resource.identity)
        record = records.latest(self._cluster.client, namespace or self._cluster.default_namespace, name)
        if record is None:
            return None
        if not inputs:
            found: Tree = {"name": name, "namespace": record.namespace, "chart": str(record.chart.get("name", ""))}
            found |= {"version": str(record.chart.get("version", "")), "values": dict(record.values)}
        else:
            found = _drifted(inputs, state, record)
            if record.status == records.DEPLOYED and (changed := self._describe_drift(resource, record)):
                # Helm has nowhere to say so; another description than the program's is what the next update upgrades.
                found = {**found, "description": f"changed by hand: {changed}"}
        problems = () if record.status == records.DEPLOYED else (_not_deployed(record),)
        return ReadResult(resource.identity, status.outputs(found, record), found, problems)

    def _describe_drift(self, resource: ResourceRef, record: records.Record) -> str:
        try:
            return "; ".join(map(str, drift.find(self._cluster, record)))
        except ProviderError as error:
            self._cluster.engine.warning(
                resource.urn, f"whether somebody has changed the release is not known: {error}"
            )
            return ""

    def _revert_drift(self, resource: ResourceRef, wanted: ReleaseInputs) -> None:
        """Take fields back that somebody else has set: Helm 4 applies on the server, and would refuse the conflict."""
        record = records.latest(self._cluster.client, wanted.namespace, wanted.name)
        if record is None or record.status != records.DEPLOYED:
            return
        try:
            for change in drift.find(self._cluster, record):
                drift.revert(self._cluster, change)
                self._cluster.engine.warning(resource.urn, f"changed by hand, brought back: {change}")
        except ProviderError as error:
            self._cluster.engine.warning(resource.urn, f"what was changed by hand is not brought back: {error}")

    def update(self, resource: ResourceRef, inputs: Tree, old_inputs: Tree, state: Tree, *, preview: bool) -> Tree:
        """Upgrade the release; give its state."""
        del old_inputs
        if preview:
            self._try_rendering(inputs)
            return status.preview(inputs, state)
        wanted = parse(inputs)
        recovery.recover(self._cluster, resource.urn, wanted)
        self._revert_drift(resource, wanted)
        return self._upgrade(resource, inputs, wanted, what="upgrade")

    def delete(self, resource: ResourceRef, state: Tree) -> None:
        """Uninstall the release and wait until its objects are gone."""
        del state
        namespace, name = split_identity(resource.identity)
        arguments = [
            "uninstall",
            name,
            "--namespace",
            namespace,
            "--ignore-not-found",
            "--wait",
            "--cascade",
            "foreground",
        ]
        if resource.timeout:
            arguments += ["--timeout", f"{resource.timeout:.0f}s"]
        engine = self._cluster.engine
        with tool.environment(self._cluster.client.connection) as env:
            engine.status(resource.urn, "Uninstalling the release and waiting until its objects are gone")
            try:
                tool.run(arguments, env, cancelled=self._cluster.client.cancelled.is_set)
            except tool.HelmError as error:
                raise ProviderError(f"Helm release {resource.identity} could not be uninstalled: {error}") from error

    def _upgrade(self, resource: ResourceRef, inputs: Tree, wanted: ReleaseInputs, *, what: str) -> Tree:
        client = self._cluster.client
        before = records.latest(client, wanted.namespace, wanted.name)
        progress = Progress(
            self._cluster, resource.urn, wanted.namespace, wanted.name, before=before.revision if before else 0
        )
        with (
            tool.environment(client.connection) as env,
            tempfile.TemporaryDirectory(prefix="helm-values-") as folder,
        ):
            arguments = commands.upgrade(wanted, Path(folder), major=tool.major_version())
            try:
                tool.run(arguments, env, values=wanted.values, watch=progress.poll, cancelled=client.cancelled.is_set)
            except (tool.HelmError, CancelledError) as error:
                raise self._failure(error, inputs, wanted, progress, what) from error
        record = records.latest(client, wanted.namespace, wanted.name)
        if record is None:
            raise ProviderError(f"Helm release {wanted.identity} has gone right after its {what}")
        self._cluster.engine.status(resource.urn, f"Helm release is {record.status} (revision {record.revision})")
        return status.outputs(inputs, record)

    def _failure(
        self, error: Exception, inputs: Tree, wanted: ReleaseInputs, progress: Progress, what: str
    ) -> Exception:
        """Make the error of a failed run; a release that failed and stays is kept in the state, to be repaired."""
        record = records.latest(self._cluster.client, wanted.namespace, wanted.name)
        reason = " ".join(redact(str(error), inputs).split())
        lead = f"the {what} of Helm release {wanted.identity} failed{_outcome(record, progress.before)}: {reason}"
        reasons = [lead, *(redact(text, inputs) for text in progress.report())]
        if record is not None and record.revision > progress.before and record.status != records.DEPLOYED:
            return InitFailedError(wanted.identity, status.outputs(inputs, record), inputs, reasons)
        return ProviderError("\n".join([reasons[0], *(f"  {text}" for text in reasons[1:])]))

    def _try_rendering(self, inputs: Tree) -> None:
        """Render the chart in preview: values that its schema refuses are refused before anything has changed."""
        if has_unknown(inputs):
            return
        wanted = parse(inputs)
        client = self._cluster.client
        capabilities: dict[str, Any] = {
            "version": client.get("/version")["gitVersion"],
            "apis": [
                version["groupVersion"] for group in client.get("/apis")["groups"] for version in group["versions"]
            ],
        }
        with (
            tool.environment(client.connection) as env,
            tempfile.TemporaryDirectory(prefix="helm-values-") as folder,
        ):
            try:
                tool.run(commands.template(wanted, Path(folder), capabilities), env, values=wanted.values)
            except tool.HelmError as error:
                reason = " ".join(redact(str(error), inputs).split())
                raise ProviderError(
                    f"the chart of Helm release {wanted.identity} cannot be rendered: {reason}"
                ) from error


def _outcome(record: records.Record | None, before: int) -> str:
    if record is None:
        return " and has been removed again"
    if record.status == records.DEPLOYED and before:
        return f" and has been rolled back (what ran before runs on, as revision {record.revision})"
    return ""


def _not_deployed(record: records.Record) -> str:
    return f"Helm release {record.namespace}/{record.name} is {record.status}: {record.description}"


def _drifted(inputs: Tree, state: Tree, record: records.Record) -> Tree:
    """Bring the inputs up to date with what someone else has changed through helm."""
    known = plain(state.get(status.VALUES_HASH))
    found = dict(inputs)
    if known and known != status.values_hash(record.values):
        values: Any = mark_like(dict(record.values), inputs.get("values"))
        # Where the program's values held a secret, a value changed by hand may hold one too.
        hides = values != dict(record.values)
        found["values"] = Secret(plain(values)) if hides else values
    version = record.chart.get("version")
    if inputs.get("version") and version and plain(inputs["version"]) != version and _was(state, "version") != version:
        found["version"] = version
    return found


def _was(state: Tree, key: str) -> Any:
    return (plain(state).get("status") or {}).get(key)
