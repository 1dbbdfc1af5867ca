"""Strict parsing of JSON bodies (RFC 8259, RFC 7493): UTF-8 only, no lone surrogates, no duplicate names, and a limited
number of values."""

import json
import math
from typing import Any

from flask.json.provider import DefaultJSONProvider

from app.core.errors import InvalidError

MOST_VALUES = 5_000
"""Names and values in a body, to bound the cost of validation: the largest that a schema allows has a few hundred."""

MOST_COMMAS = 4 * MOST_VALUES
"""Commas in a body, in texts and between values: with more it is rejected before it is parsed. The texts that schemas
allow have 15,000 characters together."""


class StrictJsonProvider(DefaultJSONProvider):
    """Flask's JSON provider, with strict parsing of requests."""

    def loads(self, s: str | bytes, **_options: Any) -> Any:
        """Parse a JSON text.

        Raises:
            ValueError: it is not JSON in UTF-8, or not interoperable (RFC 8259, sections 4, 6 and 8).
            InvalidError: it has more than MOST_VALUES values.
        """
        text = s if isinstance(s, str) else s.decode("utf-8-sig")
        if text.count(",") > MOST_COMMAS:
            raise _too_many()
        try:
            value = json.loads(text, object_pairs_hook=_object, parse_constant=_reject_constant, parse_float=_number)
        except RecursionError:
            raise ValueError("is nested too deeply") from None
        _check(value)
        return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) < len(pairs):
        raise ValueError("names a member twice")
    return value


def _too_many() -> InvalidError:
    return InvalidError("body", f"must have at most {MOST_VALUES} values")


def _reject_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _number(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError("a number is out of range")
    return number


def _check(value: Any) -> None:
    """Reject too many values, and texts with a lone surrogate: JSON escapes can hold one, UTF-8 can't."""
    count, pending = 1, [value]
    while pending:
        each = pending.pop()
        if isinstance(each, str):
            each.encode()
        elif isinstance(each, list | dict):
            count += len(each)
            if count > MOST_VALUES:
                raise _too_many()
            pending.extend(each)
            if isinstance(each, dict):
                pending.extend(each.values())
