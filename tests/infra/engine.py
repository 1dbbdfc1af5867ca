"""A stand-in for the engine: runs the whole program in this process and remembers every resource that it registers.

Assertions come after the program has ended, on what was recorded. An assertion inside an `apply` passes when the output
is unknown or the callback is never called, so there is none.
"""

import asyncio
import contextvars
import json
import runpy
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pulumi
import yaml
from pulumi.runtime import mocks, settings, stack

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = ROOT / "infra"


@dataclass(frozen=True)
class Resource:
    """A resource as the engine is asked for it."""

    type: str
    name: str
    inputs: dict[str, Any]
    custom: bool
    protect: bool
    retain: bool
    parent: str
    dependencies: frozenset[str]
    provider: str
    create_timeout: str
    update_timeout: str
    delete_timeout: str
    ignored: tuple[str, ...]
    delete_before_replace: bool
    aliases: tuple[str, ...]
    urn: str

    @property
    def kind(self) -> str:
        """Kind of the Kubernetes object: the last part of the type."""
        return self.type.rpartition(":")[2]

    @property
    def object_name(self) -> str:
        """Name of the Kubernetes object."""
        return str(self.inputs.get("metadata", {}).get("name") or self.inputs.get("name"))

    @property
    def namespace(self) -> str:
        """Namespace that the object is in; that itself, if it is one."""
        if self.kind == "Namespace":
            return self.object_name
        return str(self.inputs.get("namespace") or self.inputs["metadata"]["namespace"])


@dataclass
class Stack:
    """What a run of the program has asked for."""

    resources: list[Resource] = field(default_factory=list)
    outputs: dict[str, Any] = field(default_factory=dict)

    @property
    def objects(self) -> list[Resource]:
        """The resources that become something in the cluster."""
        return [resource for resource in self.resources if resource.custom and not resource.type.startswith("pulumi:")]

    @property
    def releases(self) -> list[Resource]:
        """The chart's releases: one, or one a service."""
        return [resource for resource in self.objects if resource.kind == "Release"]

    @property
    def variables_from_secrets(self) -> list[dict[str, Any]]:
        """The `envFromSecrets` of all releases."""
        return [variable for release in self.releases for variable in release.inputs["values"]["envFromSecrets"]]

    @property
    def values(self) -> dict[str, Any]:
        """What the chart is installed with, in a stack of one release."""
        found: dict[str, Any] = self.find("Release").inputs["values"]
        return found

    def find(self, kind: str, name: str | None = None) -> Resource:
        """The one resource of this kind (and this object's name).

        Raises:
            LookupError: there is none, or more than one.
        """
        found = [
            resource for resource in self.objects if resource.kind == kind and name in (None, resource.object_name)
        ]
        if len(found) != 1:
            raise LookupError(f"{len(found)} resources of kind {kind} named {name}")
        return found[0]

    def has(self, kind: str) -> bool:
        """Whether there is any resource of this kind."""
        return any(resource.kind == kind for resource in self.objects)


STACKS: dict[str, dict[str, Any]] = {
    "organization/task-manager-platform/aws": {
        "environment": {
            "context": "task-manager-aws",
            "storage_class": "gp3",
            "backups.bucket": "task-manager-backups-1a2b3c4",
            "gateway.namespace": "ingress",
            "hostname": "tasks.example.com",
            "later.setting": "of a platform that is newer than the environment",
        }
    },
    "organization/task-manager-platform/empty": {},
}
"""Outputs of other stacks."""


class _Mocks(mocks.Mocks):
    def __init__(self, own: str, deployed: Mapping[str, Any]) -> None:
        self._stacks = {**STACKS, own: dict(deployed)}

    def call(self, args: mocks.MockCallArgs) -> tuple[dict[str, Any], list[tuple[str, str]] | None]:
        if args.token == "pulumi:pulumi:readStackOutputs":
            name = args.args["name"]
            if name not in self._stacks:
                return {}, [("name", f"unknown stack {name!r}")]
            return {"name": name, "outputs": self._stacks[name], "secretOutputNames": []}, []
        raise AssertionError(f"the program asks the provider at preview: {args.token}")

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        outputs = dict(args.inputs)
        if args.typ == "kubernetes:core/v1:Namespace":
            system = args.name == "kube-system"
            uid = "the-id-of-the-cluster" if system else "the-id-of-the-namespace"
            outputs["metadata"] = {**outputs.get("metadata", {}), "uid": uid}
        if args.typ.endswith(":Gateway"):
            outputs["status"] = {"addresses": [{"type": "IPAddress", "value": "192.0.2.20"}]}
        return f"{args.name}-id" if args.custom else None, outputs


class _Monitor(mocks.MockMonitor):
    """Keeps what `Mocks` does not hand on: protection, retention, dependencies, parents, time-outs."""

    def __init__(self, answers: _Mocks) -> None:
        super().__init__(answers)
        self.stack = Stack()

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802 - the engine's name for it
        response = super().RegisterResource(request)  # type: ignore[no-untyped-call]
        if request.type != "pulumi:pulumi:Stack":
            self.stack.resources.append(
                Resource(
                    type=request.type,
                    name=request.name,
                    inputs=pulumi.runtime.rpc.deserialize_properties(request.object),
                    custom=request.custom,
                    protect=request.protect,
                    retain=request.retainOnDelete,
                    parent=request.parent,
                    dependencies=frozenset(request.dependencies),
                    provider=request.provider,
                    create_timeout=request.customTimeouts.create,
                    update_timeout=request.customTimeouts.update,
                    delete_timeout=request.customTimeouts.delete,
                    ignored=tuple(request.ignoreChanges),
                    delete_before_replace=request.deleteBeforeReplace,
                    aliases=(*request.aliasURNs, *(alias.urn or str(alias.spec) for alias in request.aliases)),
                    urn=response.urn,
                )
            )
        return response

    def RegisterResourceOutputs(self, request: Any) -> Any:  # noqa: N802 - the engine's name for it
        if "::pulumi:pulumi:Stack::" in request.urn:
            self.stack.outputs = pulumi.runtime.rpc.deserialize_properties(request.outputs)
        return super().RegisterResourceOutputs(request)  # type: ignore[no-untyped-call]


WITHOUT_MESH: dict[str, str] = {"mesh.kind": "none", "gateway.node_port": "", "gateway.node_port_tls": ""}
"""Settings that take mesh and gateway of Istio out of the example stack `phase4`."""


def project_defaults() -> dict[str, str]:
    """The values that the engine fills in from `Pulumi.yaml`, as strings, as it hands them over."""
    declared = yaml.safe_load((ROOT / "Pulumi.yaml").read_text())["config"]
    return {f"task-manager:{key}": _as_engine(value["default"]) for key, value in declared.items()}


def stack_file(name: str) -> dict[str, Any]:
    """The values of `Pulumi.<name>.yaml`, each by its path, such as `task-manager:backups.bucket`."""
    declared = yaml.safe_load((ROOT / f"Pulumi.{name}.yaml").read_text())["config"]
    return {
        f"{key}.{inner}" if inner else key: each
        for key, value in declared.items()
        for inner, each in (value.items() if isinstance(value, dict) else [("", value)])
    }


def as_engine(config: Mapping[str, Any]) -> dict[str, str]:
    """Values by path as the engine hands them over: strings, and objects as JSON."""
    values: dict[str, Any] = {}
    for key, value in config.items():
        *above, name = key.split(".")
        inside = values
        for each in above:
            inside = inside.setdefault(each, {})
            if not isinstance(inside, dict):
                raise TypeError(f"{each} is a scalar, and {key} makes it an object")
        inside[name] = value
    return {key: _as_engine(value) for key, value in values.items()}


def _as_engine(value: Any) -> str:
    if isinstance(value, dict | list):
        return json.dumps(value)
    return str(value).lower() if isinstance(value, bool) else str(value)


def run(
    config: Mapping[str, Any],
    name: str = "test",
    secret: Sequence[str] = (),
    deployed: Mapping[str, Any] = MappingProxyType({}),
) -> Stack:
    """Run the program with this configuration, by path, on top of the project's defaults.

    Args:
        secret: keys of the engine that hold something secret.
        deployed: outputs of the stack's last update.

    Raises:
        pulumi.RunError: the program refuses the configuration.
    """
    settings_of_stack = {**project_defaults(), **as_engine(config)}
    return record(
        _program, project="task-manager", name=name, config=settings_of_stack, secret=secret, deployed=deployed
    )


def record(
    program: Callable[[], None],
    *,
    project: str,
    name: str = "test",
    config: Mapping[str, str] = MappingProxyType({}),
    secret: Sequence[str] = (),
    deployed: Mapping[str, Any] = MappingProxyType({}),
) -> Stack:
    """Run a program, or a part of one, and return what it asks the engine for."""
    answers = _Mocks(f"organization/{project}/{name}", deployed)
    return contextvars.copy_context().run(_record, program, project, name, config, list(secret), answers)


def _record(
    program: Callable[[], None],
    project: str,
    name: str,
    config: Mapping[str, str],
    secret: list[str],
    answers: _Mocks,
) -> Stack:
    monitor = _Monitor(answers)
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    try:
        mocks.set_mocks(answers, project=project, stack=name, monitor=monitor, organization="organization")
        settings.ROOT.set(None)  # the program's run registers a stack of its own, with the outputs
        pulumi.runtime.set_all_config(dict(config), secret)
        loop.run_until_complete(stack.run_in_stack(program))
    finally:
        loop.close()
        asyncio.set_event_loop(None)
    return monitor.stack


def _program() -> None:
    runpy.run_path(str(PROGRAM), run_name="__main__")


def whole_numbers(value: Any) -> Any:
    """The value with integers for whole floats: numbers cross the engine as floats, Kubernetes wants integers."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {key: whole_numbers(item) for key, item in value.items()}
    if isinstance(value, list):
        return [whole_numbers(item) for item in value]
    return value


def walk(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every leaf of an object, with where it stands."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from walk(item, f"{path}.{key}")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from walk(item, f"{path}[{index}]")
    else:
        yield path, value
