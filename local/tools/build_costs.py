"""What the first build of each part takes, downloads and keeps: announced before it begins."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from local.tools import go_tools


@dataclass(frozen=True)
class Cost:
    """Seconds on two cores, megabytes downloaded, and megabytes kept: programs, modules, Go's build cache."""

    seconds: int
    download: int
    keep: int


# Seconds: of a first `make up` of phase 1 (November 2026, two cores of an AMD EPYC, nothing else running); those of
# cloudnative-pg and istio of a build alone; the others below are estimates by the size of their modules. Downloads:
# archives of the modules that a build compiles, without those that a tool above has brought. Kept: 8.9 GB afterwards
# by `du` (modules 2.2, Go's build cache 4.9, the rest 1.8), shared out by the seconds; the others by the same ratio.
TOOLS = {
    "kubernetes": Cost(340, 85, 3900),
    "coredns": Cost(62, 5, 600),
    "pulumi": Cost(200, 265, 2300),
    "prometheus-adapter": Cost(100, 40, 900),
    "cloudnative-pg": Cost(105, 50, 1300),
    "prometheus": Cost(120, 165, 2200),
    "alertmanager": Cost(60, 105, 1200),
    "plugin-barman-cloud": Cost(40, 25, 600),
    "versitygw": Cost(40, 95, 700),
    "istio": Cost(345, 125, 4000),
}
# Debian packages, the application's image and its base, kubectl and helm: built beside the tools.
BESIDE = Cost(0, 200, 1200)
# From the last program that is built to an address that answers.
START_SECONDS = 60


def announcement(first: Sequence[str], deferred: Sequence[str], *, with_images: bool) -> str:
    """Return what a run takes for tools that are not built yet, one line; nothing when all are.

    Args:
        first: tools that are built before the stack answers.
        deferred: tools that are built after that.
        with_images: whether the image of the application is still to be built as well.
    """
    before, after = missing(first), missing([name for name in deferred if name not in first])
    if not before and not after:
        return ""
    total = [*before, *after, *([BESIDE] if with_images else [])]
    seconds = START_SECONDS + sum(cost.seconds for cost in before)
    later = f", the rest {_minutes(sum(cost.seconds for cost in after))} later" if after else ""
    return (
        f"first run: {_minutes(seconds)} on two cores until the address is printed{later}; downloads about "
        f"{sum(cost.download for cost in total) / 1000:.1f} GB, keeps about "
        f"{sum(cost.keep for cost in total) / 1000:.0f} GB in ~/.cache and ~/go; the next run takes about a minute"
    )


def missing(tools: Iterable[str]) -> list[Cost]:
    """Return the costs of the tools that are not built yet."""
    return [TOOLS[name] for name in tools if name in TOOLS and not go_tools.find(name).directory.is_dir()]


def _minutes(seconds: int) -> str:
    minutes = max(1, round(seconds / 60))
    return f"about {minutes} minute{'s' if minutes > 1 else ''}"
