"""Objects made, changed and deleted as the engine asks for it, without the engine."""

import copy
from dataclasses import dataclass, field

from local.plugins.kubernetes_provider.context import Cluster
from local.plugins.kubernetes_provider.diff import Difference
from local.plugins.kubernetes_provider.lifecycle import Lifecycle, Reading, Subject
from local.plugins.kubernetes_provider.naming import Autonaming
from local.plugins.kubernetes_provider.objects import Object
from local.plugins.kubernetes_provider.values import Tree, plain
from tests.plugins.fakes import Listener

SEED = bytes.fromhex("00112233445566778899aabbccddeeff")


def token(obj: Object) -> str:
    """Give the type of an object's resource."""
    version = str(obj["apiVersion"])
    return f"kubernetes:{version if '/' in version else f'core/{version}'}:{obj['kind']}"


@dataclass
class Made:
    """A resource as the engine knows it."""

    subject: Subject
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
    heard: Listener = field(init=False)

    def __post_init__(self) -> None:
        """Take the listener that the provider talks to."""
        assert isinstance(self.cluster.engine, Listener)
        self.heard = self.cluster.engine

    def check(self, obj: Object, olds: Tree | None = None, type_token: str = "") -> tuple[Subject, Tree]:
        """Check inputs."""
        subject = Subject("urn", type_token or token(obj), "thing", timeout=self.timeout)
        return subject, self.lifecycle.check(subject, copy.deepcopy(obj), olds or {}, SEED, Autonaming())

    def create(self, obj: Object, type_token: str = "") -> Made:
        """Check and create."""
        subject, inputs = self.check(obj, type_token=type_token)
        identity, state = self.lifecycle.create(subject, inputs, preview=False)
        return Made(Subject("urn", subject.token, "thing", identity, self.timeout), inputs, state)

    def preview(self, obj: Object) -> Tree:
        """Preview a creation."""
        subject, inputs = self.check(obj)
        return dict(plain(self.lifecycle.create(subject, inputs, preview=True)[1]))

    def diff(self, made: Made, obj: Object) -> Difference:
        """Compare."""
        _, news = self.check(obj, made.inputs, made.subject.token)
        return self.lifecycle.diff(made.subject, made.inputs, made.state, news)

    def update(self, made: Made, obj: Object) -> Made:
        """Check and update."""
        _, news = self.check(obj, made.inputs, made.subject.token)
        state = self.lifecycle.update(made.subject, news, made.inputs, made.state, preview=False)
        return Made(made.subject, news, state)

    def refresh(self, made: Made) -> Reading | None:
        """Read what is there now."""
        return self.lifecycle.read(made.subject, made.inputs, made.state)

    def delete(self, made: Made) -> None:
        """Delete."""
        self.lifecycle.delete(made.subject, made.state)
