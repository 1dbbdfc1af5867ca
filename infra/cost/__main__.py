"""Monthly costs by list price: `python -m infra.cost`."""

import json
import sys
from typing import Annotated

import typer
from rich.console import Console

from infra import commands
from infra.config.settings import Settings
from infra.cost import page, report
from infra.cost.bill import Bill, bill
from infra.cost.check import over_budget
from infra.cost.stack import platform_settings, stack_settings
from infra.names import PROJECT

app = typer.Typer(help="Monthly costs by list price.", no_args_is_help=True, add_completion=False)
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Name = Annotated[str, typer.Argument(help="A stack that has a file Pulumi.NAME.yaml.")]


@app.command()
def phases(as_json: Json = False) -> None:
    """Show the four phases beside their budgets."""
    bills = report.phase_bills()
    if as_json:
        _write([{"phase": each.phase, **report.as_json(each.bill)} for each in bills])
    else:
        report.print_phases(bills, _console())


@app.command()
def stack(name: Name, as_json: Json = False) -> None:
    """Show what a stack costs on its platform."""
    settings, found = _bill_of(name)
    if as_json:
        _write({"stack": name, "budget": settings.budget, **report.as_json(found)} if found else {"stack": name})
    elif found:
        report.print_bill(name, found, settings.budget, _console())
    else:
        sys.stdout.write(_unknown(name) + "\n")


@app.command()
def check(name: Name) -> None:
    """Print what a stack costs in one line, and fail if that is more than its budget."""
    settings, found = _bill_of(name)
    if not found:
        if settings.budget:
            raise ValueError(f"{_unknown(name)}: its budget of ${settings.budget:,} can't be checked")
        return
    if problem := over_budget(name, settings, found):
        raise ValueError(problem)
    limit = f"budget ${settings.budget:,}" if settings.budget else "no budget"
    sys.stdout.write(f"cost: {name} costs {report.span(found.total)} a month on {found.provider}, {limit}\n")


@app.command()
def document() -> None:
    """Write docs/cost.md and its chart."""
    page.write()


def _bill_of(name: str) -> tuple[Settings, Bill | None]:
    """Return a stack's settings and its bill; none where nothing is known of its cluster."""
    settings = stack_settings(name)
    if not settings.platform:
        return settings, None
    platform = platform_settings(settings.platform)
    return settings, bill(settings, platform.cluster, platform.items()) if platform.made else None


def _unknown(name: str) -> str:
    return f"cost: what {name} costs is not known: set {PROJECT}:platform to a platform that makes its cluster"


def _console() -> Console:
    # A table in a pipe is as wide as it needs to be.
    return Console(highlight=False, width=None if sys.stdout.isatty() else 200)


def _write(value: object) -> None:
    sys.stdout.write(json.dumps(value, indent=2) + "\n")


if __name__ == "__main__":
    sys.exit(commands.run(app))
