"""Protection against formulas in CSV cells (CSV injection)."""

import re

FORMULA = re.compile(r"'*[=+\-@\t\r\n]")
"""Start of a formula in spreadsheets (OWASP, CSV Injection), also with quotes before it: so escaping a cell that starts
with a quote is reversible, too."""


def harmless(value: object) -> object:
    """Escape a cell against formula evaluation: a text that looks like a formula is prefixed with a quote."""
    return f"'{value}" if isinstance(value, str) and FORMULA.match(value) else value


def as_written(cell: str) -> str:
    """Undo `harmless`. A quote before anything but a formula is part of the text."""
    return cell[1:] if cell.startswith("'") and FORMULA.match(cell) else cell
