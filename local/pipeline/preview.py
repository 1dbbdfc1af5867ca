"""What a pull request changes in each environment, and what that costs: a report a stack, and one comment of all."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from local import paths
from local.errors import LocalError
from local.stack import pulumi

DIRECTORY: Final = paths.ROOT / ".cache" / "preview"
MARKER: Final = "<!-- preview of every environment -->"
_SAME: Final = "same"


@dataclass(frozen=True)
class Change:
    """A resource that an update would change.

    Attributes:
        operation: Pulumi's word: create, update, replace, delete, …
        resource: its type and name.
        properties: paths of what differs. No values: a comment is read by more people than a state.
    """

    operation: str
    resource: str
    properties: list[str]


@dataclass(frozen=True)
class Report:
    """What a pull request does to a stack.

    Attributes:
        stack: its name.
        changes: what an update would do.
        before: US dollars a month, the least and the most, of the target branch; empty where they are not known.
        after: of the pull request.
        problem: why there is no preview, or why the stack may not be deployed; empty where nothing is wrong.
    """

    stack: str
    changes: list[Change] = field(default_factory=list)
    before: list[float] = field(default_factory=list)
    after: list[float] = field(default_factory=list)
    problem: str = ""


def report(stack: str, base: str) -> Report:
    """Preview a stack, and price it before and after.

    Args:
        stack: its name.
        base: the commit that it is compared with.
    """
    after = _cost(stack, paths.ROOT)
    try:
        shown = pulumi.run("preview", "--json", stack=stack, capture=True)
    except LocalError as error:
        return Report(stack, before=_cost_at(base, stack), after=after, problem=str(error))
    return Report(stack, _changes(json.loads(shown)), _cost_at(base, stack), after, _over_budget(stack))


def write(found: Report, directory: Path = DIRECTORY) -> Path:
    """Keep a report for the comment; return its file."""
    directory.mkdir(parents=True, exist_ok=True)
    file = directory / f"{found.stack}.json"
    file.write_text(json.dumps(asdict(found), indent=1))
    return file


def read(directory: Path = DIRECTORY) -> list[Report]:
    """Return the reports that were kept, by the name of the stack.

    Raises:
        LocalError: there is none.
    """
    files = sorted(directory.glob("*.json"))
    if not files:
        raise LocalError(f"there is no report in {directory}: `make preview-report STACK=…` writes one")
    found = [json.loads(file.read_text()) for file in files]
    return [Report(**{**each, "changes": [Change(**change) for change in each["changes"]]}) for each in found]


def markdown(reports: Sequence[Report]) -> str:
    """Return the comment: a row a stack, and the changed resources of each below."""
    rows = "\n".join(
        f"| {each.stack} | {_counts(each.changes)} | {_dollars(each.before)} | {_dollars(each.after)} |"
        f" {each.problem or 'can be deployed'} |"
        for each in reports
    )
    table = f"| stack | resources | a month before | after | |\n| --- | --- | --- | --- | --- |\n{rows}\n"
    return "\n".join([table, *(_details(each) for each in reports if each.changes)])


def _details(found: Report) -> str:
    lines = "\n".join(
        f"- {change.operation} `{change.resource}`"
        + (f": {', '.join(f'`{path}`' for path in change.properties)}" if change.properties else "")
        for change in found.changes
    )
    return f"<details><summary>{found.stack}: {_counts(found.changes)}</summary>\n\n{lines}\n\n</details>"


def _counts(changes: Sequence[Change]) -> str:
    operations = [change.operation for change in changes]
    return ", ".join(f"{operations.count(each)} to {each}" for each in sorted(set(operations))) or "no change"


def _dollars(costs: Sequence[float]) -> str:
    if not costs:
        return "not known"
    least, most = (f"${amount:,.0f}" for amount in costs)
    return least if least == most else f"{least} to {most}"


def _changes(preview: dict[str, Any]) -> list[Change]:
    return [
        Change(
            step["op"],
            "{2}::{3}".format(*step["urn"].split("::", 3)),
            sorted(step.get("detailedDiff") or step.get("diffReasons") or ()),
        )
        for step in preview.get("steps", [])
        if step["op"] != _SAME
    ]


def _cost_at(commit: str, stack: str) -> list[float]:
    """The cost at another commit, by that commit's own program and prices."""
    with tempfile.TemporaryDirectory() as scratch:
        tree = Path(scratch) / "tree"
        added = _git("worktree", "add", "--detach", "--quiet", str(tree), commit)
        if added.returncode:
            raise LocalError(f"BASE={commit} is no commit of this repository: {added.stderr.strip()}")
        try:
            return _cost(stack, tree)
        finally:
            _git("worktree", "remove", "--force", str(tree))


def _git(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["git", *arguments], cwd=paths.ROOT, capture_output=True, text=True, check=False)


def _cost(stack: str, tree: Path) -> list[float]:
    done = _price("stack", stack, "--json", tree=tree)
    found = json.loads(done.stdout) if done.returncode == 0 else {}
    return [found["least"], found["most"]] if "least" in found else []


def _over_budget(stack: str) -> str:
    done = _price("check", stack, tree=paths.ROOT)
    return done.stderr.strip() if done.returncode else ""


def _price(*arguments: str, tree: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "infra.cost", *arguments]
    return subprocess.run(command, cwd=tree, capture_output=True, text=True, check=False)
