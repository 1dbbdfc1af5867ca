"""Objects made, changed and deleted as the engine asks for it, without the engine."""

import copy
from dataclasses import dataclass, field

from local.plugins.kubernetes_provider.context import Cluster
from local.plugins.kubernetes_provider.diff import Difference
from local.plugins.kubernetes_provider.lifecycle import Lifecycle, ReadResult, ResourceRef
from local.plugins.kubernetes_provider.naming import Autonaming
from local.plugins.kubernetes_provider.objects import Object
from local.plugins.kubernetes_provider.values import Tree, plain
from tests.plugins.fakes import RecordingEngine

SEED = bytes.fromhex("00112233445566778899aabbccddeeff")


def token(obj: Object) -> str:
    """Give the type of an object's resource."""
    version = str(obj["apiVersion"])
    return f"kubernetes:{version if '/' in version else f'core/{version}'}:{obj['kind']}"


@dataclass
class Made:
    """A resource as the engine knows it."""

    resource: ResourceRef
    inputs: Tree
    state: Tree

    @property
    def name(self) -> str:
        """The object's name."""
        return str(plain(self.state)["metadata"]["name"])


@dataclass
class Resources:
    """Asks one lifecycle what the engine would ask."""

    lifecycle: Lifecycle
    cluster: Cluster
    timeout: float = 30.0
    heard: RecordingEngine = field(init=False)

    def __post_init__(self) -> None:
        """Take the listener that the provider talks to."""
        assert isinstance(self.cluster.engine, RecordingEngine)
        self.heard = self.cluster.engine

    def check(self, obj: Object, olds: Tree | None = None, type_token: str = "") -> tuple[ResourceRef, Tree]:
        """Check inputs."""
        resource = ResourceRef("urn", type_token or token(obj), "thing", timeout=self.timeout)
        return resource, self.lifecycle.check(resource, copy.deepcopy(obj), olds or {}, SEED, Autonaming())

    def create(self, obj: Object, type_token: str = "") -> Made:
        """Check and create."""
        resource, inputs = self.check(obj, type_token=type_token)
        identity, state = self.lifecycle.create(resource, inputs, preview=False)
        return Made(ResourceRef("urn", resource.token, "thing", identity, self.timeout), inputs, state)

    def preview(self, obj: Object) -> Tree:
        """Preview a creation."""
        resource, inputs = self.check(obj)
        return dict(plain(self.lifecycle.create(resource, inputs, preview=True)[1]))

    def diff(self, made: Made, obj: Object) -> Difference:
        """Compare."""
        _, news = self.check(obj, made.inputs, made.resource.token)
        return self.lifecycle.diff(made.resource, made.inputs, made.state, news)

    def update(self, made: Made, obj: Object) -> Made:
        """Check and update."""
        _, news = self.check(obj, made.inputs, made.resource.token)
        state = self.lifecycle.update(made.resource, news, made.inputs, made.state, preview=False)
        return Made(made.resource, news, state)

    def refresh(self, made: Made) -> ReadResult | None:
        """Read what is there now."""
        return self.lifecycle.read(made.resource, made.inputs, made.state)

    def delete(self, made: Made) -> None:
        """Delete."""
        self.lifecycle.delete(made.resource, made.state)
