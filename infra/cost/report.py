"""Bills of the four phases and of a stack, as tables and as JSON."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from infra.cost.bill import BUSY, REQUESTS_PER_SERVER, RESPONSE_KIB, STORED, Bill, bill
from infra.cost.stack import phase_settings
from infra.phases import PHASES
from infra.platform.settings import TABLES
from infra.platform.sizes import Component

ASSUMPTIONS: Final = (
    f"A server of the API is made for {REQUESTS_PER_SERVER} requests a second, and gets {BUSY:.0%} of them on average.",
    f"A response sends {RESPONSE_KIB} KiB to the internet; traffic between zones and through NAT gateways is left out.",
    f"The bucket holds {STORED} GiB for each GiB of the database's volumes.",
    "List prices without taxes, of the dates and pages that infra/platform/prices.py names.",
)


@dataclass(frozen=True)
class PhaseBill:
    """The bill of a phase that is alone on a cluster of its size.

    Args:
        phase: its number.
        bill: of it.
    """

    phase: int
    bill: Bill

    @property
    def verdict(self) -> str:
        """Whether it is inside the budget of the specification, and why not."""
        (least, most), (low, high) = self.bill.total, PHASES[self.phase].audience.budget
        if high and most > high:
            fixed = sorted(
                (item for item in self.bill.items if item.component in (Component.CONTROL_PLANE, Component.NETWORK)),
                key=lambda item: -item.costs[1],
            )[:2]
            parts = " and ".join(f"{item.label} {dollars(item.costs[1])}" for item in fixed)
            return f"{dollars(most - high)} over: {parts} of it"
        if least < low:
            return "below: one region, where the budget is for several" if high is None else "below"
        return "inside"

    @property
    def per_user(self) -> float:
        """US dollars a month for each of the most users; for each of the least, where there is no most."""
        least, most = PHASES[self.phase].audience.users
        return self.bill.total[1] / most if most else self.bill.total[0] / least


def phase_bills() -> list[PhaseBill]:
    """Return the bills of all phases on all providers that have a size for them."""
    return [
        PhaseBill(phase, bill(phase_settings(phase), provider, table[phase].items()))
        for phase in PHASES
        for provider, table in TABLES.items()
        if phase in table
    ]


def dollars(amount: float) -> str:
    """An amount of money, rounded to dollars, or to cents below ten."""
    return f"${amount:,.0f}" if amount >= 10 else f"${amount:,.2f}"


def span(costs: tuple[float, float]) -> str:
    """The least and the most, or one number where both are shown the same."""
    least, most = map(dollars, costs)
    return least if least == most else f"{least} to {most}"


def users(phase: int) -> str:
    """Who a phase is for."""
    least, most = PHASES[phase].audience.users
    return f"to {most:,}" if most else f"from {least:,}"


def budget(phase: int) -> str:
    """What the specification allows a phase."""
    least, most = PHASES[phase].audience.budget
    return f"${least:,} to ${most:,}" if most else f"from ${least:,}"


def steps(bills: list[PhaseBill]) -> list[tuple[str, str, str]]:
    """Return what each next phase costs beyond the one before: provider, phases, US dollars at the least."""
    found = []
    for provider in TABLES:
        own = [each for each in bills if each.bill.provider is provider]
        found += [
            (str(provider), f"{one.phase} to {next_one.phase}", dollars(next_one.bill.total[0] - one.bill.total[0]))
            for one, next_one in pairwise(own)
        ]
    return found


HEADINGS: Final = (
    "phase",
    "users",
    "budget",
    "provider",
    "a month",
    "against the budget",
    "a million requests",
    "a user",
)


def rows(bills: list[PhaseBill]) -> list[tuple[str, ...]]:
    """Return the rows of the table of all phases, under HEADINGS."""
    return [
        (
            str(each.phase),
            users(each.phase),
            budget(each.phase),
            str(each.bill.provider),
            span(each.bill.total),
            each.verdict,
            span((min(each.bill.per_million_requests), max(each.bill.per_million_requests))),
            f"${each.per_user:.4f}",
        )
        for each in bills
    ]


def component_rows(bills: list[PhaseBill]) -> list[tuple[str, ...]]:
    """Return the rows of the table by component: phase, provider, and each component."""
    return [
        (
            str(each.phase),
            str(each.bill.provider),
            *(span(each.bill.components[part]) if part in each.bill.components else "-" for part in Component),
        )
        for each in bills
    ]


def as_json(found: Bill) -> dict[str, Any]:
    """Return a bill for scripts; amounts in US dollars a month."""
    least, most = found.total
    return {
        "provider": str(found.provider),
        "least": round(least, 2),
        "most": round(most, 2),
        "components": {
            str(part): {"least": round(costs[0], 2), "most": round(costs[1], 2)}
            for part, costs in found.components.items()
        },
    }


def print_phases(bills: list[PhaseBill], console: Console) -> None:
    """Print all phases beside their budgets, by component, and what each next phase costs."""
    _print(console, "What a month costs", HEADINGS, rows(bills))
    _print(console, "By component", ("phase", "provider", *Component), component_rows(bills))
    _print(console, "What the next phase costs more, at the least", ("provider", "phases", "a month"), steps(bills))
    for line in ASSUMPTIONS:
        console.print(f"· {line}", style="dim")


def print_bill(name: str, found: Bill, limit: int, console: Console) -> None:
    """Print the lines of a stack's bill, and its budget.

    Args:
        limit: US dollars a month; 0 for none.
    """
    lines = [
        (str(item.component), item.label, f"${item.price:,.3f}", span(item.costs))
        for item in found.items
        if item.costs[1]
    ]
    _print(console, f"{name}, a month on {found.provider}", ("component", "what", "each", "cost"), lines)
    told = f", of a budget of ${limit:,}" if limit else "; no budget is set"
    console.print(f"{span(found.total)} a month{told}")


def _print(console: Console, title: str, headings: Sequence[str], lines: Sequence[Sequence[str]]) -> None:
    table = Table(title=title, title_justify="left", title_style="bold", header_style="bold cyan")
    for heading in headings:
        table.add_column(heading, justify="right" if heading in ("each", "cost") else "left")
    for line in lines:
        table.add_row(*line)
    console.print(table)
