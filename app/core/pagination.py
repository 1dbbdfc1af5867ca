"""Keyset pagination."""

from collections.abc import Callable
from typing import TypeVar

Item = TypeVar("Item")


def page_of(limit: int, find: Callable[[int], list[Item]]) -> tuple[list[Item], Item | None]:
    """Return a page, and its last item, after which the next page starts; None on the last page.

    Args:
        limit: page size.
        find: returns the items, at most as many as its argument.
    """
    # One item more than the page shows whether there is a next page.
    found = find(limit + 1)
    items = found[:limit]
    return items, items[-1] if len(found) > limit else None
