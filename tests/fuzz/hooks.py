"""What generated requests get from us."""

from typing import Any
from uuid import uuid4

import schemathesis

KEY = "Idempotency-Key"


@schemathesis.hook
def before_call(_context: Any, case: Any, _kwargs: dict[str, Any]) -> None:
    """Name each request differently: under a name that another one had it is refused, as it has to be."""
    if case.meta and case.meta.generation.mode.is_positive and KEY in (case.headers or {}):
        case.headers[KEY] = uuid4().hex
