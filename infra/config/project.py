"""A Pulumi project whose settings are models: the environment's, and the platform's under it."""

from dataclasses import dataclass
from typing import Final

from infra.names import PROJECT


@dataclass(frozen=True)
class Project:
    """A project.

    Args:
        name: prefix of its keys.
        page: where all its settings are described, from the repository's top folder.
        providers: those that read keys of their own, since the program makes them without arguments.
        flat_keys: whether it still reads the keys of the release before sections.
    """

    name: str
    page: str
    providers: tuple[str, ...] = ()
    flat_keys: bool = False


ENVIRONMENT: Final = Project(PROJECT, "docs/settings.md", providers=("cloudflare",), flat_keys=True)
PLATFORM: Final = Project(f"{PROJECT}-platform", "docs/platform-settings.md")
