"""Commands of `python -m infra.…`: an error is one line, and status 1."""

import sys

import pulumi
import typer


def run(app: typer.Typer) -> int:
    """Run a command and return its status; print an error as one line."""
    try:
        app(standalone_mode=False)
    except (ValueError, pulumi.RunError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except typer.Exit as ended:
        return ended.exit_code
    return 0
