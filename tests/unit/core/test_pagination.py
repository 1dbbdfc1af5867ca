"""Pages of lists: each item once, and an end."""

from hypothesis import given
from hypothesis import strategies as st

from app.core.pagination import page_of


@given(st.integers(0, 30), st.integers(1, 7))
def test_the_pages_of_a_list_hold_each_item_once_and_only_the_last_has_no_next(count: int, limit: int) -> None:
    pages: list[list[int]] = []
    last: int | None = -1
    while last is not None:
        following = range(last + 1, count)
        page, last = page_of(limit, lambda most, following=following: list(following[:most]))  # type: ignore[misc]
        pages.append(page)
    assert [item for page in pages for item in page] == list(range(count))
    assert [len(page) for page in pages[:-1]] == [limit] * (len(pages) - 1)
    assert len(pages) == max(1, -(-count // limit)), "a page that says there is a next one is not the last"
