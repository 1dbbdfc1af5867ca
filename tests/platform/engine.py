"""A stand-in for the engine: runs the platform's program in this process, with mocked answers of the clouds."""

import asyncio
import contextvars
import json
import runpy
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pulumi
import yaml
from pulumi.runtime import mocks, settings, stack

from tests.platform.answers import ask, created

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = ROOT / "infra" / "platform"
CREDENTIALS = {
    "DIGITALOCEAN_TOKEN": "a-token",
    "SPACES_ACCESS_KEY_ID": "an-id",
    "SPACES_SECRET_ACCESS_KEY": "a-key",
    "AWS_ACCESS_KEY_ID": "an-id",
    "AWS_SECRET_ACCESS_KEY": "a-key",
}
"""They open nothing."""

OF_ADDONS = {
    "gateway.class": "traefik",
    "gateway.namespace": "traefik",
    "database.operator_namespace": "cnpg-system",
    "monitoring.namespace": "monitoring",
    "monitoring.adapter_namespace": "monitoring",
}
"""Settings of an environment that every platform's add-ons give."""


@dataclass(frozen=True)
class Resource:
    """A resource as the engine is asked for it."""

    type: str
    name: str
    urn: str
    inputs: dict[str, Any]
    protect: bool
    retain: bool
    ignored: tuple[str, ...]
    dependencies: frozenset[str]
    provider: str


@dataclass
class Platform:
    """What a run of the program has asked for."""

    resources: list[Resource] = field(default_factory=list)
    outputs: dict[str, Any] = field(default_factory=dict)
    secret_outputs: set[str] = field(default_factory=set)

    def all(self, kind: str) -> list[Resource]:
        """The resources of a kind, which is the last part of the type."""
        return [resource for resource in self.resources if resource.type.rpartition(":")[2] == kind]

    def one(self, kind: str, name: str | None = None) -> Resource:
        """The one resource of this kind and name.

        Raises:
            LookupError: there is none, or more than one.
        """
        found = [resource for resource in self.all(kind) if name in (None, resource.name)]
        if len(found) != 1:
            raise LookupError(f"{len(found)} resources of kind {kind} named {name}")
        return found[0]


class _Mocks(mocks.Mocks):
    def call(self, args: mocks.MockCallArgs) -> tuple[dict[str, Any], list[tuple[str, str]] | None]:
        return ask(args.token, args.args), []

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str, dict[str, Any]]:
        return created(args.typ, args.name, args.inputs)


class _Monitor(mocks.MockMonitor):
    def __init__(self) -> None:
        super().__init__(_Mocks())
        self.platform = Platform()

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802 - the engine's name for it
        response = super().RegisterResource(request)  # type: ignore[no-untyped-call]
        if request.type != "pulumi:pulumi:Stack":
            self.platform.resources.append(
                Resource(
                    type=request.type,
                    name=request.name,
                    urn=response.urn,
                    inputs=pulumi.runtime.rpc.deserialize_properties(request.object),
                    protect=request.protect,
                    retain=request.retainOnDelete,
                    ignored=tuple(request.ignoreChanges),
                    dependencies=frozenset(request.dependencies),
                    provider=request.provider,
                )
            )
        return response

    def RegisterResourceOutputs(self, request: Any) -> Any:  # noqa: N802 - the engine's name for it
        if "::pulumi:pulumi:Stack::" in request.urn:
            found = pulumi.runtime.rpc.deserialize_properties(request.outputs, keep_unknowns=True)
            for name, value in found.items():
                secret = pulumi.runtime.rpc.is_rpc_secret(value)
                self.platform.outputs[name] = value["value"] if secret else value
                if secret:
                    self.platform.secret_outputs.add(name)
        return super().RegisterResourceOutputs(request)  # type: ignore[no-untyped-call]


def project_defaults() -> dict[str, str]:
    """The values that the engine fills in from `Pulumi.yaml`."""
    declared = yaml.safe_load((PROGRAM / "Pulumi.yaml").read_text())["config"]
    return {f"task-manager-platform:{key}": _as_engine(value["default"]) for key, value in declared.items()}


def stack_file(name: str) -> dict[str, Any]:
    """The values of `Pulumi.<name>.yaml`."""
    declared: dict[str, Any] = yaml.safe_load((PROGRAM / f"Pulumi.{name}.yaml").read_text())["config"]
    return declared


def _as_engine(value: Any) -> str:
    if isinstance(value, dict | list):
        return json.dumps(value)
    return str(value).lower() if isinstance(value, bool) else str(value)


def run(config: Mapping[str, Any], name: str = "test") -> Platform:
    """Run the program with this configuration on top of the project's defaults.

    Raises:
        pulumi.RunError: the program refuses it.
    """
    values = {**project_defaults(), **{key: _as_engine(value) for key, value in config.items()}}
    return contextvars.copy_context().run(_run, values, name)


def settings_of(stack_name: str, **changes: Any) -> dict[str, Any]:
    """A stack file's values with others on top, by name without the project's prefix."""
    return {**stack_file(stack_name), **{f"task-manager-platform:{key}": value for key, value in changes.items()}}


def _run(config: Mapping[str, str], name: str) -> Platform:
    monitor = _Monitor()
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    try:
        mocks.set_mocks(_Mocks(), project="task-manager-platform", stack=name, monitor=monitor)
        settings.ROOT.set(None)
        pulumi.runtime.set_all_config(dict(config), [])
        loop.run_until_complete(stack.run_in_stack(lambda: _program()))
    finally:
        loop.close()
        asyncio.set_event_loop(None)
    return monitor.platform


def _program() -> None:
    runpy.run_path(str(PROGRAM), run_name="__main__")
