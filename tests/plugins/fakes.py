"""Test doubles: recorded look-ups of the cluster, and an engine that records its messages."""

from dataclasses import dataclass, field

from local.plugins.kubernetes_provider.objects import Object, name_of
from local.plugins.plugin_kit.engine import Engine


@dataclass
class RecordedLookups:
    """Look-ups, answered from recorded objects."""

    pod_list: list[Object] = field(default_factory=list)
    slices: list[Object] = field(default_factory=list)
    event_lists: dict[str, list[Object]] = field(default_factory=dict)
    logs: dict[tuple[str, bool], str] = field(default_factory=dict)
    classes: dict[str, Object] = field(default_factory=dict)

    def pods(self, selector: str) -> list[Object]:
        """Give every pod: a recording holds only those that belong."""
        del selector
        return self.pod_list

    def endpoint_slices(self, service: str) -> list[Object]:
        """Give the recorded slices."""
        del service
        return self.slices

    def events(self, obj: Object) -> list[Object]:
        """Give the events recorded under the object's name."""
        return self.event_lists.get(name_of(obj), [])

    def log(self, pod: Object, container: str, *, previous: bool) -> str:
        """Give the log recorded for the container."""
        del pod
        return self.logs.get((container, previous), "")

    def storage_class(self, name: str) -> Object:
        """Give the class recorded under the name."""
        return self.classes.get(name, {})


class RecordingEngine(Engine):
    """An engine that records its messages."""

    def __init__(self) -> None:
        """Start without messages."""
        super().__init__("")
        self.statuses: list[str] = []
        self.warnings: list[str] = []

    def status(self, urn: str, message: str) -> None:
        """Record a progress line."""
        del urn
        self.statuses.append(message)

    def warning(self, urn: str, message: str) -> None:
        """Record a warning."""
        del urn
        self.warnings.append(message)
