"""Keyset pagination."""

from collections.abc import Callable
from typing import TypeVar

Item = TypeVar("Item")


def page_of(limit: int, find: Callable[[int], list[Item]]) -> tuple[list[Item], Item | None]:
    """Return a page, and the item that the next page starts after; None on the last one.

    Args:
        limit: how many items a page has.
        find: returns the items, as many as it is told at most.
    """
    # One more than asked for tells whether there is a next page.
    found = find(limit + 1)
    items = found[:limit]
    return items, items[-1] if len(found) > limit else None
