"""The page of `bench.gateway`."""

import os
from dataclasses import dataclass
from statistics import median

from bench.load import CONNECTIONS, Measured

SHOWN_MS = 0.01
"""Parts that take less processor time a request are not shown."""


@dataclass(frozen=True)
class Round:
    """Attributes: alone and gateway are loads; parts is the processor time of a request in ms, by part."""

    alone: Measured
    gateway: Measured
    parts: dict[str, float]


def spread(values: list[float], digits: int = 0) -> str:
    return " | ".join(f"{value:,.{digits}f}" for value in (min(values), median(values), max(values)))


def page(rounds: list[Round], seconds: int, users: int) -> str:
    """Return the results as Markdown.

    Args:
        rounds: what was measured.
        seconds: of each measurement through the gateway.
        users: how many sent its requests.
    """
    loads = {
        "c, one server alone": [each.alone for each in rounds],
        "c, through the gateway": [each.gateway for each in rounds],
    }
    lines = ["| requests a second | minimum | median | maximum | ms, median | ms, 99 % |", "|---|--:|--:|--:|--:|--:|"]
    for what, found in loads.items():
        times = f"{median(each.median_ms for each in found):.1f} | {median(each.p99_ms for each in found):.1f}"
        lines.append(f"| {what} | {spread([each.rate for each in found])} | {times} |")
    lines += ["", "| processor time of a request, ms | minimum | median | maximum |", "|---|--:|--:|--:|"]
    by_part = {
        name: [each.parts.get(name, 0.0) for each in rounds] for name in sorted({n for r in rounds for n in r.parts})
    }
    for name, values in by_part.items():
        if median(values) >= SHOWN_MS:
            lines.append(f"| {name} | {spread(values, 2)} |")
    lines.append(f"| all parts of the stack | {spread([sum(each.parts.values()) for each in rounds], 2)} |")
    how = (
        f"# Our list through the gateway of phase 4\n\nWritten by `make bench-gateway`: {len(rounds)} rounds,"
        f" {CONNECTIONS} connections; alone for 10 s, through the gateway for {seconds} s by {users} users. The stack,"
        f" the load and the server alone share {os.cpu_count()} processors. What parts use at rest is subtracted."
    )
    return "\n".join([how, "", *lines, ""])
