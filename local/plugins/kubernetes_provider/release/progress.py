"""Progress of a release while helm works on it: running hooks, awaited rollouts, failing pods.

With `atomic`, helm removes the failing pods when it goes back; what was wrong with them is kept here for the report.
"""

import contextlib
from dataclasses import dataclass, field

from local.plugins.kubernetes_provider.awaiters import daemonset, deployment, job, statefulset
from local.plugins.kubernetes_provider.awaiters.lookups import ApiLookups, Lookups
from local.plugins.kubernetes_provider.awaiters.readiness import Readiness
from local.plugins.kubernetes_provider.awaiters.wait import Rule
from local.plugins.kubernetes_provider.context import Cluster
from local.plugins.kubernetes_provider.errors import ProviderError
from local.plugins.kubernetes_provider.objects import Object
from local.plugins.kubernetes_provider.release import record as records
from local.plugins.kubernetes_provider.release.record import Hook, Record

_RULES: dict[str, Rule] = {
    "Deployment": deployment.assess,
    "StatefulSet": statefulset.assess,
    "DaemonSet": daemonset.assess,
    "Job": job.assess,
}


@dataclass
class Progress:
    """Watches one release during one run of helm."""

    cluster: Cluster
    urn: str
    namespace: str
    name: str
    # The newest revision before helm began; what it makes is newer.
    before: int
    problems: dict[str, tuple[str, ...]] = field(default_factory=dict)
    _revision: int = 0

    def poll(self) -> None:
        """Report the progress, and keep the problems that are seen."""
        # Progress must not end the operation: what the server refuses here, helm meets and reports itself.
        with contextlib.suppress(ProviderError):
            record = records.latest(self.cluster.client, self.namespace, self.name)
            if record is None or record.revision <= self.before:
                return
            self._revision = self._revision or record.revision
            known = dict(self.problems)
            message = self._describe(record)
            now = records.latest(self.cluster.client, self.namespace, self.name)
            if now is None or (now.revision, now.status) != (record.revision, record.status):
                # Helm has gone on meanwhile. What looks well now may be what it went back to: nothing is forgotten.
                self.problems = {**known, **self.problems}
            self.cluster.engine.status(self.urn, message)

    def _describe(self, record: Record) -> str:
        if record.revision > self._revision or record.status == "pending-rollback":
            return f"[2/2] Not ready; going back: {record.description or record.status}"
        if record.status not in records.PENDING:
            return (
                "[2/2] Not ready; going back" if record.status == records.FAILED else f"Helm release is {record.status}"
            )
        running = next((hook for hook in record.hooks if hook.phase == "Running"), None)
        if running is not None:
            return self._hook(running)
        return self._rollouts(record)

    def _hook(self, hook: Hook) -> str:
        what = f"[1/2] Running hook {hook.name} ({', '.join(hook.events)})"
        if hook.kind != "Job":
            return what
        readiness = self._assess(
            {"apiVersion": "batch/v1", "kind": "Job", "metadata": self._metadata(hook.name)}, "hook"
        )
        return f"{what}: {readiness.progress()}" if readiness else what

    def _rollouts(self, record: Record) -> str:
        waiting = []
        for obj in record.objects():
            if obj["kind"] in _RULES:
                readiness = self._assess(obj, obj["kind"])
                if readiness is not None and not readiness.done:
                    waiting.append(f"{obj['kind']} {obj['metadata']['name']}: {readiness.progress()}")
        return "; ".join(waiting) or "Waiting for the release's other objects to be ready"

    def _assess(self, obj: Object, said_as: str) -> Readiness | None:
        target = {**obj, "metadata": {**obj["metadata"], **self._metadata(obj["metadata"]["name"])}}
        try:
            live = self.cluster.read(target)
        except ProviderError:
            return None
        lookups: Lookups = ApiLookups(self.cluster.client, self.namespace)
        readiness = _RULES[obj["kind"]](live, lookups)
        key = f"{said_as} {obj['metadata']['name']}"
        if readiness.problems:
            self.problems[key] = readiness.problems
        elif readiness.done:
            self.problems.pop(key, None)
        return readiness

    def _metadata(self, name: str) -> Object:
        return {"name": name, "namespace": self.namespace}

    def report(self) -> list[str]:
        """Give the problems that were last seen, a sentence each."""
        return [f"{key}: {text}" for key, texts in self.problems.items() for text in texts]
