"""Metrics and comparisons of PromQL expressions."""

from collections.abc import Iterator
from typing import Final

import promql_parser
from promql_parser import BinaryExpr, Call, Expr, ParenExpr, VectorSelector

_FILTERS: Final = {"==", "!=", ">", "<", ">=", "<=", "and", "or", "unless"}


def metrics_in(expression: str) -> set[str]:
    """Return the names of the metrics that an expression asks for.

    Raises:
        ValueError: it is no PromQL.
    """
    return _metrics(promql_parser.parse(expression))


def operands(expression: str) -> list[str]:
    """Return what an expression compares.

    An alert that is silent has no data, and is well: what it compares has to have some. So comparisons, `and`, `or` and
    `unless` at the top are taken apart, `absent` is taken off, and numbers are left out.

    Raises:
        ValueError: it is no PromQL.
    """
    return [str(part) for part in _operands(promql_parser.parse(expression)) if _metrics(part)]


def _metrics(tree: Expr) -> set[str]:
    found = set()

    def note(part: Expr) -> None:
        if isinstance(part, VectorSelector) and part.name:
            found.add(part.name)

    promql_parser.walk(tree, note)
    return found


def _operands(part: Expr) -> Iterator[Expr]:
    match part:
        case ParenExpr():
            yield from _operands(part.expr)
        case BinaryExpr() if str(part.op) in _FILTERS:
            yield from _operands(part.lhs)
            yield from _operands(part.rhs)
        case Call() if part.func.name == "absent":
            yield from _operands(part.args[0])
        case _:
            yield part
