"""Generator of the `config:` block of the platform's `Pulumi.yaml`, and of docs/platform-settings.md."""

from pathlib import Path
from typing import Final

from infra.config import project_file
from infra.config.project import PLATFORM
from infra.config.project_file import ROOT, Documents
from infra.platform.settings import PlatformSettings

PROJECT_FILE: Final = Path(__file__).resolve().with_name("Pulumi.yaml")
PAGE: Final = ROOT / PLATFORM.page

_INTRODUCTION: Final = """\
# Settings of the platform

Written by `make settings` from `infra/platform`. [platform.md](platform.md) says what they bring up. In
`infra/platform`, a setting of an object is set by its path:

```
pulumi config set cluster digitalocean
pulumi config set --path nodes.most 5
```

"""

DOCUMENTS: Final = Documents(PLATFORM, PlatformSettings, "infra/platform", _INTRODUCTION)


def main() -> None:
    """Write both."""
    PROJECT_FILE.write_text(project_file.project_file(PROJECT_FILE.read_text(), DOCUMENTS))
    PAGE.write_text(project_file.page(DOCUMENTS))


if __name__ == "__main__":
    main()
