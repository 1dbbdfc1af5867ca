"""Stand-ins for what the rules lean on: recorded surroundings, and an engine that remembers what it is told."""

from dataclasses import dataclass, field

from local.plugins.kubernetes_provider.objects import Object, name_of
from local.plugins.plugin_kit.engine import Engine


@dataclass
class Recorded:
    """Surroundings as they were at one moment."""

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


class Listener(Engine):
    """An engine that remembers what it is told."""

    def __init__(self) -> None:
        """Start with nothing heard."""
        super().__init__("")
        self.statuses: list[str] = []
        self.warnings: list[str] = []

    def status(self, urn: str, message: str) -> None:
        """Remember a progress line."""
        del urn
        self.statuses.append(message)

    def warning(self, urn: str, message: str) -> None:
        """Remember a warning."""
        del urn
        self.warnings.append(message)
