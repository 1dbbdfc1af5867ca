"""Reads a stack's configuration into the shape of the models: objects, and flat keys in their sections."""

import difflib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from infra.config import errors
from infra.config.flat_keys import FLAT_KEYS, as_text, value_of
from infra.config.project import ENVIRONMENT, Project

PROVIDER_CONTEXT_KEY: Final = "kubernetes:context"

ENTRY: Final = "SERVICE"
"""Stands for the names in a mapping, in the path of a setting: `services.SERVICE.log_level`."""

_OTHER_CLUSTER: Final = ("kubernetes:kubeconfig", "kubernetes:cluster")
"""Keys of the Kubernetes provider that would lead to another cluster, if anything read them."""

SettingPath = tuple[str, ...]
"""Keys from the top to a setting. Any text may be a key of an object, one with a dot too."""


@dataclass
class Found:
    """What a configuration holds.

    Args:
        values: for the models.
        problems: sentences about keys that cannot be read.
        deprecated: a line for each flat key.
        written: key as it stands in the configuration, by path of the setting.
        known: paths of all settings.
        secret: keys that hold something secret.
        project: whose keys they are.
    """

    known: tuple[str, ...]
    secret: frozenset[str]
    project: Project = ENVIRONMENT
    values: dict[str, Any] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    deprecated: list[str] = field(default_factory=list)
    written: dict[str, str] = field(default_factory=dict)

    def sentence(self, problem: Any) -> str:
        """A sentence about one of `ValidationError.errors()`, with the key as it was written."""
        path = ".".join(str(part) for part in problem["loc"] if not isinstance(part, int))
        key = f"{self.project.name}:{self.written.get(path, path)}"
        if problem["type"] == "extra_forbidden":
            return errors.unknown(key, self._known_beside(path), self.project)
        return errors.sentence(key, problem, hidden=key.partition(".")[0] in self.secret)

    def _known_beside(self, path: str) -> list[str]:
        """Paths of all settings, those in a mapping under the name that this path has there."""
        mapping, _, below = path.partition(".")
        written = f"{mapping}.{below.partition('.')[0]}."
        return [known.replace(f"{mapping}.{ENTRY}.", written, 1) for known in self.known]

    def set(self, path: SettingPath, value: Any, key: str = "") -> None:
        """Take a value, unless the same setting has another one already.

        Args:
            path: of the setting.
            value: as configuration has it.
            key: as it stands in the configuration; empty for the path.
        """
        *sections, name = path
        values = self.values
        for section in sections:
            values = values.setdefault(section, {})
        said, key = ".".join(path), key or ".".join(path)
        if name in values and as_text(values[name]) != as_text(value):
            prefix = self.project.name
            self.problems.append(
                f"{prefix}:{key}: {prefix}:{said} says something else: remove {prefix}:{key}, which it replaces"
            )
            return
        values[name] = value
        self.written.setdefault(said, key)


def section_of(info: FieldInfo) -> type[BaseModel] | None:
    """The model of a field that is a section; None for another field."""
    kind = info.annotation
    return kind if isinstance(kind, type) and issubclass(kind, BaseModel) else None


def entry_of(info: FieldInfo) -> type[BaseModel] | None:
    """The model of the sections in a field that is a mapping of them by name; None for another field."""
    return get_args(info.annotation)[1] if get_origin(info.annotation) is Mapping else None


def fields_of(model: type[BaseModel]) -> dict[str, type[BaseModel] | None]:
    """Top-level keys of the settings, with the model of those that are sections."""
    return {name: section_of(info) for name, info in model.model_fields.items()}


def keys_of(section: type[BaseModel]) -> dict[str, FieldInfo]:
    """Fields of a section by the key that configuration writes."""
    return {info.alias or name: info for name, info in section.model_fields.items()}


def leaves_of(model: type[BaseModel]) -> Iterator[tuple[str, FieldInfo]]:
    """Yield every setting with its path, such as `phase`, `database.kind` and `services.SERVICE.log_level`."""
    for name, info in keys_of(model).items():
        section, entry = section_of(info), entry_of(info)
        if below := section or entry:
            above = f"{name}.{ENTRY}" if entry else name
            yield from ((f"{above}.{path}", leaf) for path, leaf in leaves_of(below))
        else:
            yield name, info


def keys_of_entries(entry: type[BaseModel]) -> list[str]:
    """Keys of the sections in a mapping, as `keys_of` has those of a section."""
    return [f"{ENTRY}.{key}" for key in keys_of(entry)]


def paths_of(model: type[BaseModel]) -> tuple[str, ...]:
    """Paths of all settings."""
    return tuple(path for path, _ in leaves_of(model))


def read(
    config: Mapping[str, Any], model: type[BaseModel], secret: Iterable[str], project: Project = ENVIRONMENT
) -> Found:
    """Sort the values by setting.

    Args:
        config: by full key, as the engine hands them over.
        model: of all settings.
        secret: full keys whose values are secret.
        project: whose configuration it is.
    """
    tops = fields_of(model)
    former = FLAT_KEYS if project.flat_keys else {}
    found = Found(known=paths_of(model), secret=frozenset(secret), project=project)
    flat: dict[str, Any] = {}
    for key, value in sorted(config.items()):
        namespace, _, name = key.partition(":")
        if namespace != project.name:
            found.problems += _foreign(key, value, found)
        elif name in former and not (name in tops and _object(value) is not None):
            flat[name] = value
        elif name in tops:
            _take((name,), value, model.model_fields[name], found)
        else:
            found.problems.append(errors.unknown(key, found.known, project))
    _move(flat, found)
    if "context" in tops:
        _set_context(config, found)
    return found


def _take(path: SettingPath, value: Any, info: FieldInfo, found: Found) -> None:
    """Take a setting, or all those in a section or in a mapping of sections."""
    if entry := entry_of(info):
        for name, each in _content(path, value, keys_of_entries(entry), found).items():
            _take_section((*path, name), each, entry, found)
    elif section := section_of(info):
        _take_section(path, value, section, found)
    elif not _is_empty(value):
        found.set(path, value)


def _take_section(path: SettingPath, value: Any, section: type[BaseModel], found: Found) -> None:
    fields = keys_of(section)
    for key, each in _content(path, value, fields, found).items():
        if key in fields:
            _take((*path, key), each, fields[key], found)
        elif not _is_empty(each):
            found.set((*path, key), each)  # the models know no such key


def _set_context(config: Mapping[str, Any], found: Found) -> None:
    """Take the context from whichever key has it, as if it were written by the project's own."""
    try:
        context = context_of(config, found.project)
    except ValueError as error:
        found.problems.append(str(error))
        return
    if context:
        found.set(("context",), context)


def _foreign(key: str, value: Any, found: Found) -> Iterator[str]:
    """Sentences about a key of another namespace: those of the engine and of other providers are their own business."""
    project = found.project
    if key in _OTHER_CLUSTER and value != "":
        context = f"{project.name}:context"
        yield f"{key}: nothing reads it: set $KUBECONFIG, and {context} for another context than the current one"
    elif difflib.get_close_matches(key.partition(":")[0], [project.name], cutoff=0.8):
        yield errors.unknown(key, found.known, project)


def context_of(config: Mapping[str, Any], project: Project = ENVIRONMENT) -> str:
    """The kubeconfig's context, by the project's own key or by the Kubernetes provider's; empty for the current one.

    Raises:
        ValueError: the two differ; the message says what to do.
    """
    key = f"{project.name}:context"
    own, provider = (str(config.get(each) or "") for each in (key, PROVIDER_CONTEXT_KEY))
    if own and provider and own != provider:
        raise ValueError(f"{PROVIDER_CONTEXT_KEY}: {provider!r} is not the {own!r} of {key}: remove one of the two")
    return own or provider


def _move(flat: Mapping[str, Any], found: Found) -> None:
    """Put the values of flat keys into their sections, after all objects: what both say has to agree."""
    for name, value in flat.items():
        if value == "":
            continue
        found.set(tuple(FLAT_KEYS[name].split(".")), value_of(name, value), name)
        key, path = f"{found.project.name}:{name}", f"{found.project.name}:{FLAT_KEYS[name]}"
        found.deprecated.append(f"{key} is deprecated and will not be read by the next release: set {path}")


def _content(path: SettingPath, value: Any, names: Iterable[str], found: Found) -> dict[str, Any]:
    """Return what an object has; nothing for a scalar, which is a problem unless it is empty."""
    content = _object(value)
    if content is None and not _is_empty(value):
        found.problems.append(errors.no_object(f"{found.project.name}:{'.'.join(path)}", names))
    return content or {}


def _is_empty(value: Any) -> bool:
    """Whether it is the way to write "the default"."""
    return value in ("", None)


def _object(value: Any) -> dict[str, Any] | None:
    """The object that a value is, as JSON; None for a scalar."""
    if isinstance(value, str) and value.lstrip().startswith("{"):
        try:
            value = json.loads(value)
        except ValueError:
            return None
    return value if isinstance(value, dict) else None
