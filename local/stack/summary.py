"""Printed after `make up` and by `make status`: a stack's address, a demo log-in, its outputs and pods."""

from __future__ import annotations

import json
import os
import secrets
from dataclasses import dataclass
from typing import Final

import requests
from rich.console import Console

from local import paths
from local.stack import pulumi
from local.stack.place import place_of

DEMO_EMAIL = "demo@example.org"

_PHASES: Final = {
    2: "three instances, PostgreSQL with a standby, Valkey, a gateway",
    3: "autoscaled, read replicas, a Redis Cluster, a CDN",
    4: "a release, a database and credentials for each service, events over RabbitMQ, a mesh",
}
"""What each phase adds."""


@dataclass(frozen=True)
class DemoLogin:
    """A log-in for the first look; its password is made on this machine and kept in the state directory."""

    email: str
    password: str


def post(url: str, body: dict[str, str]) -> int:
    """Post JSON and return the status."""
    return requests.post(url, json=body, timeout=30).status_code


def demo_login(stack: str, url: str) -> DemoLogin:
    """Return a log-in that works, registering one when the kept one does not."""
    kept = paths.STATE / f"demo-{stack}.json"
    if kept.exists():
        known = DemoLogin(**json.loads(kept.read_text()))
        if post(f"{url}/api/v1/auth/login", vars(known)) == 200:
            return known
    fresh = DemoLogin(DEMO_EMAIL, secrets.token_urlsafe(12))
    if post(f"{url}/api/v1/auth/register", {**vars(fresh), "name": "Demo"}) == 409:
        fresh = DemoLogin(f"demo-{secrets.token_hex(3)}@example.org", fresh.password)
        post(f"{url}/api/v1/auth/register", {**vars(fresh), "name": "Demo"})
    descriptor = os.open(kept, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(vars(fresh), file)
    return fresh


def show(stack: str, url: str, console: Console) -> None:
    """Print the address at which the stack answers, a log-in and the next commands."""
    login = demo_login(stack, url)
    console.print(f"\n[bold]The task manager is up[/]: [link={url}]{url}[/]", highlight=False)
    console.print(f"  log in with   {login.email}   {login.password}", highlight=False, markup=False)
    for command, what in (
        ("make status", "the cluster's parts and the stack's pods"),
        ("make shell", "a shell for pulumi, kubectl and helm"),
        *next_phase(stack),
        ("make down", "take everything down again"),
    ):
        console.print(f"  {command:<16}{what}", highlight=False, markup=False)


def next_phase(stack: str) -> list[tuple[str, str]]:
    """Return the command that brings the next phase up, and what that adds; nothing after the last one."""
    number = int(stack.removeprefix("phase")) + 1
    return [(f"make up PHASE={number}", _PHASES[number])] if number in _PHASES else []


def show_status(stack: str | None) -> None:
    """Show the stack's outputs and pods."""
    outputs = pulumi.outputs(stack)
    console = Console(soft_wrap=True, highlight=False)
    for name, value in sorted(outputs.items()):
        if isinstance(value, str | int):
            console.print(f"{name:<12} {value}", markup=False)
    for part, command in outputs["reach"].items():
        console.print(f"{'to ' + part:<12} {command}", markup=False)
    console.print(place_of(stack, outputs).kubectl("get", "pods,horizontalpodautoscalers"), markup=False)
