"""Every view that hashes a password is rate-limited: checked by static analysis."""

import ast
from collections.abc import Iterator
from pathlib import Path

APP = Path(__file__).parents[3] / "app"

HASHING = {"register", "login", "change_password", "delete_me", "confirm_password_reset"}
"""The operations; tests/integration/auth/test_password_limits.py tests their limits."""


def attributes(node: ast.AST) -> set[str]:
    return {each.attr for each in ast.walk(node) if isinstance(each, ast.Attribute)}


def parsed(folder: str) -> Iterator[ast.Module]:
    return (ast.parse(file.read_text()) for file in (APP / folder).rglob("*.py"))


def functions(node: ast.Module | ast.ClassDef | ast.FunctionDef) -> dict[str, ast.FunctionDef]:
    return {each.name: each for each in node.body if isinstance(each, ast.FunctionDef)}


def hashing_methods() -> set[tuple[str, str]]:
    """Return class and name of service methods that hash a password, directly or indirectly."""
    found = set()
    for module in parsed("auth"):
        for owner in (each for each in module.body if isinstance(each, ast.ClassDef)):
            methods = {name: attributes(each) for name, each in functions(owner).items() if name != "__init__"}
            names = {name for name, used in methods.items() if "_passwords" in used}
            while more := {name for name, used in methods.items() if used & names} - names:
                names |= more
            found |= {(owner.name, name) for name in names}
    return found


def operations(hashing: set[tuple[str, str]]) -> dict[str, bool]:
    """Return the operations whose views call such a method, and whether each is limited."""
    found = {}
    for module in parsed("auth"):
        for blueprint in functions(module).values():
            kinds = {arg.arg: ast.unparse(arg.annotation) for arg in blueprint.args.args if arg.annotation}
            for view in functions(blueprint).values():
                called = {
                    (kinds.get(each.value.id, ""), each.attr)
                    for each in ast.walk(view)
                    if isinstance(each, ast.Attribute) and isinstance(each.value, ast.Name)
                }
                if called & hashing:
                    decorators = " ".join(ast.unparse(each) for each in view.decorator_list)
                    name = decorators.partition("operation_id='")[2].partition("'")[0]
                    found[name] = "limits.passwords." in decorators
    return found


def test_every_view_that_hashes_a_password_is_limited() -> None:
    found = operations(hashing_methods())
    assert set(found) == HASHING
    assert all(found.values()), f"no limit: {[name for name, limited in found.items() if not limited]}"
