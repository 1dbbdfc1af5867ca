"""Every transaction of a request is opened within `run` or a function that is `@retried`."""

import ast
from collections.abc import Iterator
from pathlib import Path

APP = Path(__file__).parents[4] / "app"

FOLDERS = ("analytics", "auth", "core", "notifications", "tasks")

OPENERS = {"read", "write", "read_of"}

LOOPS = {"run_once", "collect", "_run"}
"""Functions that are repeated anyway: polling loops and a metric."""


def opened_in(tree: ast.AST, owner: ast.FunctionDef | None = None) -> Iterator[tuple[int, ast.FunctionDef | None]]:
    """Yield the line of each `with` that opens a transaction, and its enclosing function."""
    for node in ast.iter_child_nodes(tree):
        inner = node if isinstance(node, ast.FunctionDef) else owner
        if isinstance(node, ast.With):
            for item in node.items:
                called = item.context_expr
                if (
                    isinstance(called, ast.Call)
                    and isinstance(called.func, ast.Attribute)
                    and called.func.attr in OPENERS
                    and "storage" in ast.unparse(called.func.value)
                ):
                    yield node.lineno, inner
        yield from opened_in(node, inner)


def is_retried(function: ast.FunctionDef | None) -> bool:
    return function is not None and any(ast.unparse(each) == "retried" for each in function.decorator_list)


def test_each_transaction_of_a_request_is_part_of_a_retried_function() -> None:
    found = [
        (f"{path.relative_to(APP.parent)}:{line}", function)
        for folder in FOLDERS
        for path in (APP / folder).rglob("*.py")
        for line, function in opened_in(ast.parse(path.read_text()))
    ]
    assert len(found) > 20, "the test looks where there are some"
    bare = [
        place for place, function in found if not is_retried(function) and getattr(function, "name", "") not in LOOPS
    ]
    assert bare == []
