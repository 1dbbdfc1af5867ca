"""A stack's bill against its budget."""

from infra.config.settings import Settings
from infra.cost.bill import Bill
from infra.names import PROJECT


def over_budget(name: str, settings: Settings, found: Bill) -> str:
    """Return what costs too much and what to change, in one line; empty where the budget is kept.

    Args:
        name: of the stack.
        settings: the stack's.
        found: its bill.
    """
    _, most = found.total
    if not settings.budget or most <= settings.budget:
        return ""
    item = found.largest
    change = f"lower {item.setting}, or raise" if item.setting else "raise"
    return (
        f"cost: {name} costs up to ${most:,.0f} a month on {found.provider}, ${most - settings.budget:,.0f} over its"
        f" budget of ${settings.budget:,}; the most, ${item.costs[1]:,.0f}, is for"
        f" {item.label}: {change} {PROJECT}:budget"
    )
