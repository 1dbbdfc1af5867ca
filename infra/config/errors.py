"""Messages for errors in a stack's configuration."""

import difflib
from collections.abc import Iterable, Sequence
from typing import Any, Final

from infra.config.project import Project

_WRONG_TYPE: Final = {
    **dict.fromkeys(("int_parsing", "int_from_float", "int_type"), "is not a whole number"),
    **dict.fromkeys(("bool_parsing", "bool_type"), "is neither true nor false"),
    "tuple_type": "is not a list: set its entries by `pulumi config set --path`, the first at [0]",
}
"""What is wrong with a value, by the type of pydantic's error."""


def unknown(key: str, names: Sequence[str], project: Project) -> str:
    """A sentence about a key that nothing reads; `names` are those of the settings there are."""
    close = difflib.get_close_matches(key.rpartition(":")[2], names, n=1)
    hint = f"did you mean {project.name}:{close[0]}?" if close else f"{project.page} lists the keys"
    return f"{key}: there is no such key ({hint})"


def no_object(key: str, names: Iterable[str]) -> str:
    """A sentence about a section that is set to a scalar; `names` are those of its settings."""
    return f"{key}: it is an object: set one of its keys ({', '.join(names)}) by `pulumi config set --path`"


def sentence(key: str, problem: Any, *, hidden: bool = False) -> str:
    """A sentence about one of `ValidationError.errors()`.

    Args:
        key: whole, as it stands in the configuration.
        hidden: whether the value is secret, and so is any message that may quote it.
    """
    if not problem["loc"]:
        return str(problem["ctx"]["error"])
    value = problem["input"]
    if hidden:
        return f"{key}: its secret value is not valid"
    match problem["type"]:
        case "value_error":
            reason = str(problem["ctx"]["error"])
        case kind if kind in _WRONG_TYPE:
            reason = f"{value!r} {_WRONG_TYPE[kind]}"
        case "enum":
            reason = f"{value!r} is not one of {problem['ctx']['expected']}"
        case "string_pattern_mismatch":
            kind = "a folder" if key.endswith(("backup_folder", "backups.folder")) else "a DNS name"
            reason = f"{value!r} is not {kind}"
        case "greater_than_equal":
            reason = f"{value} is below {problem['ctx']['ge']}"
        case "less_than_equal":
            reason = f"{value} is above {problem['ctx']['le']}"
        case _:
            reason = f"{value!r}: {problem['msg']}"
    return f"{key}: {reason}"
