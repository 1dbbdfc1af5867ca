"""Drift of a stack: what its cluster has and its state does not, without writing either."""

from __future__ import annotations

import io
import json

from local.stack import preflight, pulumi

_SAME = frozenset({"same", "refresh"})


def find(stack: str) -> list[str]:
    """Return what was changed by hand, a line each.

    Resources of the state are compared with the cluster's; within a Helm release, its objects with its manifest.

    Raises:
        LocalError: the kubeconfig leads to another cluster; or Pulumi's words.
    """
    stream = io.StringIO()
    preflight.check(stack, stream)
    shown = pulumi.run("refresh", "--preview-only", "--json", stack=stack, capture=True)
    changed = [
        f"{step['op']} {step['urn'].split('::', 2)[2]}"
        for step in json.loads(shown).get("steps", [])
        if step["op"] not in _SAME
    ]
    return [*stream.getvalue().splitlines(), *changed]


def markdown(stack: str, found: list[str]) -> str:
    """Return the text of the issue."""
    lines = "\n".join(f"- {line}" for line in found)
    return (
        f"`make drift STACK={stack}` finds what the program does not say:\n\n{lines}\n\n"
        f"`make preview STACK={stack}` shows what the next update would bring back; docs/operations.md, "
        '"Drift: changes by hand", says how to keep a change instead.\n'
    )
