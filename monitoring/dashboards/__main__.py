"""Write the dashboards' files: `python -m monitoring.dashboards`. A test fails while the committed ones differ."""

from monitoring.catalogue import GENERATED
from monitoring.dashboards.generate import files


def main() -> None:
    """Write them all, and remove those that no code makes."""
    wanted = files()
    for old in GENERATED.glob("*.json"):
        if old.name not in wanted:
            old.unlink()
    for name, content in wanted.items():
        (GENERATED / name).write_text(content)


if __name__ == "__main__":
    main()
