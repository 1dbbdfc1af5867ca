"""What is wrong with a stack's configuration, in the words of someone who edits a stack file."""

import difflib
from collections.abc import Iterable
from typing import Any

from infra.names import PROJECT


def unknown(key: str, names: Iterable[str]) -> str:
    """A sentence about a key that nothing reads; `names` are those of the settings there are."""
    close = difflib.get_close_matches(key, [f"{PROJECT}:{name}" for name in names], n=1)
    hint = f"did you mean {close[0]}?" if close else "Pulumi.yaml lists the keys"
    return f"{key}: there is no such key ({hint})"


def sentence(problem: Any) -> str:
    """A sentence about one of `ValidationError.errors()`."""
    if not problem["loc"]:
        return str(problem["ctx"]["error"])
    key = f"{PROJECT}:{problem['loc'][0]}"
    value = problem["input"]
    match problem["type"]:
        case "value_error":
            reason = str(problem["ctx"]["error"])
        case "int_parsing" | "int_from_float" | "int_type":
            reason = f"{value!r} is not a whole number"
        case "bool_parsing" | "bool_type":
            reason = f"{value!r} is neither true nor false"
        case "enum":
            reason = f"{value!r} is not one of {problem['ctx']['expected']}"
        case "string_pattern_mismatch":
            kind = "a folder" if problem["loc"][0] == "backup_folder" else "a DNS name"
            reason = f"{value!r} is not {kind}"
        case "greater_than_equal":
            reason = f"{value} is below {problem['ctx']['ge']}"
        case "less_than_equal":
            reason = f"{value} is above {problem['ctx']['le']}"
        case _:
            reason = f"{value!r}: {problem['msg']}"
    return f"{key}: {reason}"
