"""The inputs of a Release, by the official provider's names."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from local.plugins.kubernetes_provider.errors import ProviderError
from local.plugins.kubernetes_provider.naming import Autonaming, random_name
from local.plugins.kubernetes_provider.release.chart import content_hash
from local.plugins.kubernetes_provider.secret_values import mark_like
from local.plugins.kubernetes_provider.values import Tree, has_unknown, plain

# Helm's own default, in seconds.
DEFAULT_TIMEOUT_SECONDS = 300
# Helm takes release names of up to this length.
_LONGEST_NAME = 53

# What a state has beside the inputs, and what the SDK adds for itself.
OUTPUT_ONLY = frozenset({"status", "resourceNames", "manifest", "compat"})
CHECKSUM = "checksum"


@dataclass(frozen=True)
class ReleaseInputs:
    """The checked inputs of a release. Times in seconds."""

    name: str
    namespace: str
    chart: str
    values: Mapping[str, Any] = field(repr=False)
    value_files: tuple[Any, ...] = field(default=(), repr=False)
    timeout: int = DEFAULT_TIMEOUT_SECONDS
    skip_await: bool = False
    atomic: bool = False
    repository: Mapping[str, str] = field(default_factory=dict, repr=False)
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def identity(self) -> str:
        """The id that the state knows the release by."""
        return f"{self.namespace}/{self.name}"


def parse(inputs: Tree) -> ReleaseInputs:
    """Read checked inputs, secrets unwrapped."""
    tree = plain(inputs)
    return ReleaseInputs(
        name=str(tree["name"]),
        namespace=str(tree["namespace"]),
        chart=str(tree.get("chart", "")),
        values=tree.get("values") or {},
        value_files=tuple(tree.get("valueYamlFiles") or ()),
        timeout=int(tree.get("timeout") or DEFAULT_TIMEOUT_SECONDS),
        skip_await=bool(tree.get("skipAwait")),
        atomic=bool(tree.get("atomic")),
        repository=tree.get("repositoryOpts") or {},
        options=tree,
    )


def complete(
    news: Tree, olds: Tree, *, resource_name: str, seed: bytes, naming: Autonaming, default_namespace: str
) -> Tree:
    """Complete a program's inputs: name, namespace, and a checksum of a chart that lies in a folder.

    Args:
        news: the program's inputs, secrets marked.
        olds: the inputs of the last update; empty for a new release.
        resource_name: the resource's name in the program.
        seed: the engine's random bytes for a name.
        naming: the engine's configuration of names.
        default_namespace: for a release that names none.

    Raises:
        ProviderError: no chart, a chart that is not there, or a number that is none.
    """
    tree = {
        key: value
        for key, value in plain(news).items()
        if value is not None and not key.startswith("__") and key not in OUTPUT_ONLY
    }
    if not tree.get("chart"):
        raise ProviderError(
            f"release {resource_name} names no chart: give a folder, an archive, a URL or a chart's name"
        )
    if not tree.get("name"):
        old_name = plain(olds).get("name")
        tree["name"] = old_name or naming.proposed or random_name(resource_name, seed)
    tree.setdefault("namespace", default_namespace)
    if not has_unknown(tree["name"]) and len(tree["name"]) > _LONGEST_NAME:
        raise ProviderError(
            f"release name {tree['name']!r} is longer than the {_LONGEST_NAME} characters that helm takes"
        )
    if not has_unknown(tree["chart"]) and Path(tree["chart"]).is_dir():
        # The inputs name the folder only: without this, a changed template would change nothing.
        tree[CHECKSUM] = content_hash(Path(tree["chart"]))
    return dict(mark_like(tree, news))
