"""Hooks of Schemathesis: a key of its own for each request, and a file of the statuses of answers."""

import os
from pathlib import Path
from typing import Any
from uuid import uuid4

import schemathesis

KEY = "Idempotency-Key"


@schemathesis.hook
def before_call(_context: Any, case: Any, _kwargs: dict[str, Any]) -> None:
    """Name each request differently: under a name that another one had it is refused, as it has to be."""
    if case.meta and case.meta.generation.mode.is_positive and KEY in (case.headers or {}):
        case.headers[KEY] = uuid4().hex


@schemathesis.hook
def after_call(_context: Any, _case: Any, response: Any) -> None:
    """Add the status of the answer to a file, where there is no server of the tests' own to count it."""
    if file := os.environ.get("FUZZ_STATUSES"):
        with Path(file).open("a") as statuses:
            statuses.write(f"{response.status_code}\n")
