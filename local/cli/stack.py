"""The commands of `python -m local stack`: the application's stack on whatever cluster there is."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from local.progress import Progress
from local.stack import address, preflight, pulumi, recovery, summary
from local.stack import smoke as smoke_test
from local.stack.difference import compare
from local.stack.place import place_of
from local.stack.restore import restore as bring_back
from local.stack.secret_entries import entries
from local.tools import environment

stack_commands = typer.Typer(help="The application's stack.", no_args_is_help=True)
Name = Annotated[str | None, typer.Argument(help="A stack; without it the one that came up last.")]


@stack_commands.command()
def url(name: Name = None) -> None:
    """Print the address of the application, and nothing else."""
    outputs = pulumi.outputs(name)
    found = address.candidates(outputs, place_of(name, outputs))
    sys.stdout.write((found[0] if len(found) == 1 else address.first_answering(found, seconds=10)) + "\n")


@stack_commands.command()
def status(name: Name = None) -> None:
    """Show the stack's outputs and pods."""
    summary.show_status(name)


@stack_commands.command()
def smoke(name: Name = None) -> None:
    """Check that a stack serves; with SMOKE_EMAIL and SMOKE_PASSWORD also that an account can write."""
    smoke_test.test(name, Progress())


@stack_commands.command()
def check(name: str) -> None:
    """Refuse a kubeconfig that leads to another cluster than the stack's, and show what was changed by hand."""
    environment.prepare()
    preflight.check(name, sys.stdout)


@stack_commands.command()
def prepare(name: str) -> None:
    """Before an update: refuse another cluster, end what a killed update has left, undo changes by hand."""
    environment.prepare()
    preflight.prepare(name, sys.stdout)


@stack_commands.command()
def recover(
    name: str,
    cancel: Annotated[bool, typer.Option("--cancel", help="Release the lock of a backend that others use.")] = False,
) -> None:
    """After an interrupted update: end what it has left, so that the next one can go on."""
    environment.prepare()
    recovery.recover(name, sys.stdout, cancel=cancel)


@stack_commands.command()
def restore(
    name: str,
    at: Annotated[str, typer.Argument(help="The moment, such as '2030-01-02 03:04:05+00'.")],
    source: Annotated[int | None, typer.Option("--from", help="Number of the cluster whose backups are read.")] = None,
) -> None:
    """Bring the stack's database back to a moment."""
    environment.prepare()
    preflight.prepare(name, sys.stdout)
    bring_back(name, at, source, Console(highlight=False))


@stack_commands.command()
def secrets(name: str, as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """Show which entries a store has to have for a stack, and their keys; no value is read."""
    found = entries(name)
    if as_json:
        sys.stdout.write(json.dumps([asdict(each) for each in found], indent=2) + "\n")
        return
    table = Table("entry", "keys", header_style="bold cyan")
    for each in found:
        table.add_row(each.path, ", ".join(each.keys))
    _print(table)


@stack_commands.command()
def diff(
    one: Annotated[str, typer.Argument(help="A stack.")],
    other: Annotated[str, typer.Argument(help="Another stack.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show which settings of two stacks differ, and their images; secrets by name alone."""
    compared = compare(one, other)
    found = compared.differences
    if as_json:
        sys.stdout.write(json.dumps([asdict(each) for each in found], indent=2) + "\n")
    for note in compared.not_compared:
        sys.stderr.write(f"{note}\n")
    if as_json:
        return
    if not found:
        sys.stdout.write(f"{one} and {other} do not differ\n")
        return
    table = Table("setting", one, other, header_style="bold cyan")
    for each in found:
        table.add_row(each.setting, *(value or "not set" for value in (each.one, each.other)))
    _print(table)


def _print(table: Table) -> None:
    # In a pipe it is as wide as it needs to be.
    Console(highlight=False, width=None if sys.stdout.isatty() else 200).print(table)
