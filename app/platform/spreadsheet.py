"""What goes into a CSV file that people open in a spreadsheet."""

STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")
"""What a spreadsheet takes for the start of a formula (OWASP, CSV Injection)."""


def harmless(value: object) -> object:
    """Return a cell that no spreadsheet computes: a text that looks like a formula gets a quote in front of it."""
    return f"'{value}" if isinstance(value, str) and value.startswith(STARTS) else value
