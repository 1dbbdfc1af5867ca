"""Policies of a stack: `python -m infra.policy`."""

import json
import shutil
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final

import typer

from infra import commands
from infra.cost.stack import stack_settings
from infra.policy import preview
from infra.policy.check import RULES, Result, check
from infra.policy.rule import Context

PAGE: Final = Path(__file__).resolve().parents[2] / "docs" / "policies.md"

app = typer.Typer(help="Policies of a stack.", no_args_is_help=True, add_completion=False)


@app.command("check")
def check_stack(
    name: Annotated[str, typer.Argument(help="A stack that has a file Pulumi.NAME.yaml.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Hold a stack against every rule; `pulumi preview --json --show-secrets` comes by standard input."""
    settings = stack_settings(name)
    text = sys.stdin.read()
    try:
        found = json.loads(text)
    except json.JSONDecodeError:
        raise ValueError(f"policies: no preview of {name} came by standard input") from None
    helm = shutil.which("helm")
    if helm is None:
        raise ValueError("policies: helm is not on PATH: run this in `make shell`, or `make preview`")
    context = Context(settings.policies.production, settings.budget)
    today = datetime.now(UTC).date()
    result = check(preview.resources(found, helm), context, settings.policies.exceptions, today)
    _print(name, result, as_json=as_json)
    if not result.passed:
        count = len(result.violations) + len(result.problems)
        raise ValueError(
            f"policies: {count} to mend before {name} is deployed; docs/policies.md says how an exception is named"
        )


@app.command()
def document() -> None:
    """Write docs/policies.md."""
    PAGE.write_text(page())


def page() -> str:
    """Return the text of docs/policies.md."""
    rows = "\n".join(
        f"| `{rule.name}` | {rule.description} | {'production' if rule.production else 'every stack'} |"
        for rule in RULES
    )
    return _PAGE.format(rows=rows)


_PAGE: Final = """\
# Policies

Written by `make policy-page` from `infra/policy`. `make preview`, `make deploy` and `make release` of a stack hold
every resource of the stack, and every object of its charts, against these rules, and stop where one is broken.

| rule | what has to hold | for |
| --- | --- | --- |
{rows}

A stack is one of production when its file says so:

```
pulumi config set --path policies.production true --stack prod
```

Beside them the bill of the stack is held against its budget (docs/cost.md).

## Exceptions

An exception is of one rule and one resource, and has a reason and a last day. It stands in the stack's file:

```yaml
config:
  task-manager:policies:
    production: true
    exceptions:
      - rule: backups
        resource: task-manager-db-1
        reason: The bucket comes with the move to the new account.
        until: 2027-03-31
```

The preview fails again on the day after, and names an exception that nothing needs any more.

## In `pulumi up` itself

`make policy-pack`, and then `pulumi up --policy-pack infra/policy/pack`, has the engine run the rules for every stack,
also for `infra/platform`. A pack sees no stack's file: it has neither rules for production nor exceptions.
It takes Pulumi's own language host for Python; the local cluster's starts no packs.
"""


def _print(name: str, result: Result, *, as_json: bool) -> None:
    if as_json:
        written = {
            "stack": name,
            "violations": [vars(each) for each in result.violations],
            "excepted": [{**vars(each), "until": str(by.until), "reason": by.reason} for each, by in result.excepted],
            "problems": list(result.problems),
        }
        sys.stdout.write(json.dumps(written, indent=2) + "\n")
        return
    for violation in result.violations:
        sys.stdout.write(f"{violation}\n")
    for problem in result.problems:
        sys.stdout.write(f"{problem}\n")
    for violation, exception in result.excepted:
        sys.stdout.write(f"excepted until {exception.until}: {violation} ({exception.reason})\n")
    sys.stdout.write(
        f"policies: {name} keeps {len(RULES)} rules, {len(result.excepted)} exceptions\n" if result.passed else ""
    )


if __name__ == "__main__":
    sys.exit(commands.run(app))
