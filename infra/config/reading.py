"""Reads a stack's configuration into the shape of the models: objects, and flat keys in their sections."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from infra.config import errors
from infra.config.flat_keys import FLAT_KEYS, as_text, value_of
from infra.config.project import ENVIRONMENT, Project


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
            return errors.unknown(key, self.known, self.project)
        return errors.sentence(key, problem, hidden=key.partition(".")[0] in self.secret)

    def set(self, path: str, value: Any, key: str) -> None:
        """Take a value, unless the same setting has another one already."""
        section, _, name = path.rpartition(".")
        values = self.values.setdefault(section, {}) if section else self.values
        if name in values and as_text(values[name]) != as_text(value):
            prefix = self.project.name
            self.problems.append(
                f"{prefix}:{key}: {prefix}:{path} says something else: remove {prefix}:{key}, which it replaces"
            )
            return
        values[name] = value
        self.written.setdefault(path, key)


def fields_of(model: type[BaseModel]) -> dict[str, type[BaseModel] | None]:
    """Top-level keys of the settings, with the model of those that are sections."""
    return {
        name: info.annotation if isinstance(info.annotation, type) and issubclass(info.annotation, BaseModel) else None
        for name, info in model.model_fields.items()
    }


def keys_of(section: type[BaseModel]) -> dict[str, FieldInfo]:
    """Fields of a section by the key that configuration writes."""
    return {info.alias or name: info for name, info in section.model_fields.items()}


def paths_of(model: type[BaseModel]) -> tuple[str, ...]:
    """Paths of all settings, such as `phase` and `database.kind`."""
    paths: list[str] = []
    for name, section in fields_of(model).items():
        paths += [f"{name}.{key}" for key in keys_of(section)] if section else [name]
    return tuple(paths)


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
        if namespace in ("pulumi", *project.providers):  # the engine's own (`pulumi:tags`), and those that read theirs
            continue
        if namespace != project.name or not (name in tops or name in former):
            found.problems.append(errors.unknown(key, found.known, project))
        elif value == "":  # an empty value is the way to write "the default"
            continue
        elif (section := tops.get(name)) and (content := _object(value)) is not None:
            for inner, each in content.items():
                if each not in ("", None):
                    found.set(f"{name}.{inner}", each, f"{name}.{inner}")
        elif name in former:
            flat[name] = value_of(name, value)
        elif section:
            found.problems.append(errors.no_object(key, keys_of(section)))
        else:
            found.set(name, value, name)
    _move(flat, found)
    return found


def _move(flat: Mapping[str, Any], found: Found) -> None:
    """Put the values of flat keys into their sections, after all objects: what both say has to agree."""
    for name, value in flat.items():
        found.set(FLAT_KEYS[name], value, name)
        key, path = f"{found.project.name}:{name}", f"{found.project.name}:{FLAT_KEYS[name]}"
        found.deprecated.append(f"{key} is deprecated and will not be read by the next release: set {path}")


def _object(value: Any) -> dict[str, Any] | None:
    """The object that a value is, as JSON; None for a scalar."""
    if isinstance(value, str) and value.lstrip().startswith("{"):
        try:
            value = json.loads(value)
        except ValueError:
            return None
    return value if isinstance(value, dict) else None
