"""Strict parsing of JSON bodies: UTF-8 only, no half surrogate pairs, no name twice, and no more values than any body
needs (RFC 8259, RFC 7493)."""

import json
import math
from typing import Any

from flask.json.provider import DefaultJSONProvider

from app.core.errors import InvalidError

MOST_VALUES = 5_000
"""Names and values of a body: the largest that a schema allows has a few hundred. Bounds what validation may cost."""

MOST_COMMAS = 4 * MOST_VALUES
"""Commas of a body, in its texts and between its values: one of more is refused before it costs a parse. The texts that
schemas allow have 15,000 characters together."""


class StrictJsonProvider(DefaultJSONProvider):
    """Flask's JSON, with the strict parser for whatever a request brings."""

    def loads(self, s: str | bytes, **_options: Any) -> Any:
        """Parse a JSON text.

        Raises:
            ValueError: it is not JSON in UTF-8, or holds what no program can keep (RFC 8259, sections 6 and 8).
            InvalidError: it has more than MOST_VALUES values.
        """
        text = s if isinstance(s, str) else s.decode("utf-8-sig")
        if text.count(",") > MOST_COMMAS:
            raise _too_many()
        try:
            value = json.loads(text, object_pairs_hook=_object, parse_constant=_refuse, parse_float=_number)
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


def _refuse(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _number(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError("a number is out of range")
    return number


def _check(value: Any) -> None:
    """Refuse too many values, and texts that have no UTF-8: half a surrogate pair can be escaped in JSON."""
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
