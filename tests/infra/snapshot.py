"""What the program registers for each variant, as committed files: `make snapshots` writes them anew.

A file is a mapping from URN (without stack and project) to options and inputs. That of a variant with a base is a JSON
merge patch (RFC 7396) on the base's: what it adds or changes, and `null` for what it takes away.
"""

import functools
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import yaml

from tests.infra import engine
from tests.infra.engine import ROOT, Resource, Stack
from tests.infra.variants import VARIANTS

FOLDER: Final = Path(__file__).resolve().parent / "snapshots"
SDK_ALIASES: Final = ('type: "kubernetes:', 'type: "cloudflare:')

Snapshot = dict[str, Any]


def path_of(name: str) -> Path:
    """The file of a variant."""
    return FOLDER / f"{name}.yaml"


def stack_name(name: str) -> str:
    """The name that a variant runs under: that of its base, since the name is in all labels."""
    return VARIANTS[VARIANTS[name].base or name].stack


@functools.cache
def take(name: str) -> Snapshot:
    """Describe all that the program registers for a variant."""
    return describe(VARIANTS[name].config, stack_name(name), VARIANTS[name].deployed)


def describe(config: Mapping[str, Any], name: str, deployed: Mapping[str, Any] = MappingProxyType({})) -> Snapshot:
    """Run the program under a stack's name and describe all that it registers, by URN, and the stack's outputs.

    Args:
        config: the stack's.
        name: the stack's.
        deployed: outputs of its last update.
    """
    stack = engine.run(config, name, deployed=deployed)
    described = {_short(resource.urn): _describe(resource, stack) for resource in stack.resources}
    if len(described) != len(stack.resources):
        raise AssertionError("two resources have the same URN")
    return {**described, "outputs": _readable(stack.outputs)}


def _short(urn: str) -> str:
    """The URN from its chain of types on."""
    return urn.split("::", 2)[2].replace("pulumi:pulumi:Stack$", "")


def _describe(resource: Resource, stack: Stack) -> Snapshot:
    provider = _short(resource.provider.rpartition("::")[0]) if resource.provider else ""
    parent = resource.parent if "::pulumi:pulumi:Stack::" not in resource.parent else ""
    options = {
        # Without those that providers' SDKs add for former types: other ones come with each of their releases.
        "aliases": sorted(alias for alias in resource.aliases if not alias.startswith(SDK_ALIASES)),
        "deleteBeforeReplace": resource.delete_before_replace,
        "dependsOn": _depends_on(resource, stack),
        "ignoreChanges": sorted(resource.ignored),
        "parent": _short(parent) if parent else "",
        "protect": resource.protect,
        "provider": provider,
        "retainOnDelete": resource.retain,
        "timeouts": {
            name: value
            for name, value in (("create", resource.create_timeout), ("update", resource.update_timeout))
            if value
        },
    }
    described = {name: value for name, value in options.items() if value}
    if resource.inputs:
        described["inputs"] = _readable(resource.inputs)
    return described


def _depends_on(resource: Resource, stack: Stack) -> list[str]:
    """The resources that it waits for; all those of one component are one line."""
    left = set(resource.dependencies)
    lines = []
    for component in stack.resources:
        children = {each.urn for each in stack.objects if each.parent == component.urn}
        if children and children <= left:
            left -= children
            lines.append(f"{_short(component.urn)} (all)")
    return sorted([*lines, *map(_short, left)])


@functools.cache
def _files() -> list[tuple[str, Any, str]]:
    """Generated and checked elsewhere: they stand in a snapshot by name, whole or as what is read from them."""
    paths = [*ROOT.glob("monitoring/rules/*.yaml"), *ROOT.glob("monitoring/dashboards/generated/*.json")]
    return [
        (text, engine.whole_numbers(yaml.safe_load(text)), f"<{path.relative_to(ROOT)}>")
        for path, text in ((path, path.read_text()) for path in paths)
    ]


def _readable(value: Any) -> Any:
    return _by_name(engine.whole_numbers(value))


def _by_name(value: Any) -> Any:
    """The value, with a name in place of what would change it with every other file of the repository."""
    if isinstance(value, dict):
        for _, content, name in _files():
            if value == content:
                return name
        return {
            key: "<digest>" if key == "task-manager/configuration" else _by_name(each) for key, each in value.items()
        }
    if isinstance(value, list):
        return [_by_name(each) for each in value]
    if isinstance(value, str):
        for text, _, name in _files():
            if value == text:
                return name
        return re.sub(r"^chart [0-9a-f]{12}$", "chart <digest>", value)
    return value


def merge_patch(before: Mapping[str, Any], after: Mapping[str, Any]) -> Snapshot:
    """The patch (RFC 7396) that makes one of the other. Nothing in a snapshot is null, so nothing is lost."""
    patch: Snapshot = {key: None for key in before if key not in after}
    for key, value in after.items():
        if key not in before:
            patch[key] = value
        elif isinstance(value, dict) and isinstance(before[key], dict):
            if changed := merge_patch(before[key], value):
                patch[key] = changed
        elif value != before[key]:
            patch[key] = value
    return patch


class _Dumper(yaml.SafeDumper):
    """Texts of several lines as blocks, and every key before its value, however long it is."""

    def check_simple_key(self) -> bool:
        return super().check_simple_key() or isinstance(self.event, yaml.ScalarEvent)

    def ignore_aliases(self, data: Any) -> bool:
        del data
        return True


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|" if "\n" in value else None)


_Dumper.add_representer(str, _text)


def write(snapshot: Snapshot) -> str:
    """The text of a file."""
    return yaml.dump(snapshot, Dumper=_Dumper, sort_keys=True, allow_unicode=True, width=118)


def current(name: str) -> str:
    """What a variant's file has to say."""
    base = VARIANTS[name].base
    return write(merge_patch(take(base), take(name)) if base else take(name))


def main() -> None:
    """Write every file, and remove those of variants that are no more."""
    FOLDER.mkdir(exist_ok=True)
    for path in FOLDER.glob("*.yaml"):
        if path.stem not in VARIANTS:
            path.unlink()
    for name in VARIANTS:
        path_of(name).write_text(current(name))
    sys.stdout.write(f"{len(VARIANTS)} snapshots in {FOLDER.relative_to(ROOT)}\n")


if __name__ == "__main__":
    main()
