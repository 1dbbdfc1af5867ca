"""Protection against formulas in CSV cells (CSV injection)."""

import re

FORMULA = re.compile(r"'*[=+\-@\t\r\n]")
"""What a spreadsheet takes for the start of a formula (OWASP, CSV Injection), and the same with quotes before it: so an
escaped text can't be mixed up with one that somebody wrote like that."""


def harmless(value: object) -> object:
    """Return a cell that no spreadsheet computes: a text that looks like a formula gets a quote in front of it."""
    return f"'{value}" if isinstance(value, str) and FORMULA.match(value) else value


def as_written(cell: str) -> str:
    """Return what `harmless` has made a cell of. A quote before anything but a formula is the writer's own."""
    return cell[1:] if cell.startswith("'") and FORMULA.match(cell) else cell
