"""Generator of the `config:` block of `Pulumi.yaml`, and of docs/settings.md, from the models: `make settings`."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from infra.config.flat_keys import FLAT_KEYS, as_text
from infra.config.project import ENVIRONMENT, Project
from infra.config.reading import ENTRY, entry_of, fields_of, keys_of, keys_of_entries, leaves_of
from infra.config.settings import Settings

ROOT: Final = Path(__file__).resolve().parents[2]
PROJECT_FILE: Final = ROOT / "Pulumi.yaml"
PAGE: Final = ROOT / "docs" / "settings.md"

_INTRODUCTION: Final = """\
# Settings

Written by `make settings` from `infra/config`. A setting of an object is set by its path:

```
pulumi config set phase 2
pulumi config set --path database.storage 20
pulumi config set --secret --path mail.user tasks
pulumi config set --path services.tasks.api.max_replicas 60
```

`SERVICE` stands for a service of phase 4: `auth`, `tasks`, `notifications` or `analytics`.

Flat keys of the release before (last column) are read for one more release, with a warning. Some have the name of an
object: `database`, `cdn`, `monitoring`, `errors`, `logs`, `secrets`. With a flat `database`, setting `database.storage`
by `--path` replaces it and what it said, so set `database.kind` too. `make restore` does so itself.

"""


@dataclass(frozen=True)
class Documents:
    """What is written for a project.

    Args:
        project: the project.
        model: its settings.
        source: folder that the models stand in.
        introduction: of its page.
    """

    project: Project
    model: type[BaseModel]
    source: str
    introduction: str

    @property
    def mark(self) -> str:
        """The line of the project file below which everything is generated."""
        page = self.project.page
        return f"# Written by `make settings` from {self.source}; {page} has the settings of each object.\n"


_ENVIRONMENT: Final = Documents(ENVIRONMENT, Settings, "infra/config", _INTRODUCTION)


def default_of(info: FieldInfo) -> Any:
    """A default as configuration writes it."""
    value = info.default
    if value is None:
        return ""
    if isinstance(value, tuple):
        return list(value)
    return value if isinstance(value, bool | int) else str(value)


def declaration(
    name: str, info: FieldInfo, section: type[BaseModel] | None, project: Project = ENVIRONMENT
) -> dict[str, Any]:
    """A key of `Pulumi.yaml`.

    A section that has the name of a flat key has no type: the engine would refuse the scalar that older stacks have.
    """
    if entry := entry_of(info):
        return {"type": "object", "default": {}, "description": _summary(info.description, keys_of_entries(entry))}
    if section:
        kind = {} if project.flat_keys and name in FLAT_KEYS else {"type": "object"}
        return {**kind, "default": {}, "description": _summary(section.__doc__, keys_of(section))}
    default = default_of(info)
    kind = {"type": "boolean" if isinstance(default, bool) else "integer" if isinstance(default, int) else "string"}
    return {**kind, "default": default, "description": info.description}


def _summary(description: str | None, keys: Iterable[str]) -> str:
    return f"{description} Its keys: {', '.join(keys)}."


def declarations(documents: Documents = _ENVIRONMENT) -> Mapping[str, Any]:
    """The whole block."""
    fields = documents.model.model_fields
    return {
        name: declaration(name, fields[name], section, documents.project)
        for name, section in fields_of(documents.model).items()
    }


def project_file(before: str, documents: Documents = _ENVIRONMENT) -> str:
    """`Pulumi.yaml` with its block written anew; what stands above it is kept by hand."""
    head = before.partition(documents.mark)[0]
    block = yaml.safe_dump({"config": declarations(documents)}, sort_keys=False, allow_unicode=True, width=10_000)
    return head + documents.mark + block


def page(documents: Documents = _ENVIRONMENT) -> str:
    """The page of all settings, by path."""
    flat = documents.project.flat_keys
    former = {path: key for key, path in FLAT_KEYS.items()}
    rows = [("setting", "default", "what it is", "formerly"), ("---",) * 4]
    for path, info in leaves_of(documents.model):
        _, of_one, of_all = path.partition(f"{ENTRY}.")
        if of_one:
            default, description = "", f"`{of_all}` of this service alone. Empty: as that says."
        else:
            default, description = default_of(info), info.description or ""
        shown = "" if default in ("", []) else as_text(default)
        rows.append((_code(path), _code(shown), description, _code(former.get(path, ""))))
    lines = [f"| {' | '.join(cells if flat else cells[:3])} |\n" for cells in rows]
    return documents.introduction + "".join(lines)


def _code(text: str) -> str:
    return f"`{text}`" if text else ""


def main() -> None:
    """Write both."""
    PROJECT_FILE.write_text(project_file(PROJECT_FILE.read_text()))
    PAGE.write_text(page())


if __name__ == "__main__":
    main()
