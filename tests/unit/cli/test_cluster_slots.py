"""Hash slots: balanced after the moves, with no more moves than necessary."""

from hypothesis import given
from hypothesis import strategies as st

from app.cli.cluster_slots import SLOTS, moves, ranges, unassigned

NODES = [f"node-{number}" for number in range(8)]


@st.composite
def ownerships(draw: st.DrawFn) -> dict[str, set[int]]:
    """Draw a partition of all slots into ranges, each owned by a node."""
    cuts = sorted(draw(st.sets(st.integers(1, SLOTS - 1), max_size=12)))
    owned: dict[str, set[int]] = {}
    for first, end in zip([0, *cuts], [*cuts, SLOTS], strict=True):
        owned.setdefault(draw(st.sampled_from(NODES)), set()).update(range(first, end))
    return owned


def test_neighbouring_slots_are_one_range() -> None:
    assert ranges([5, 1, 2, 3, 9]) == [(1, 3), (5, 5), (9, 9)]


def test_unassigned_slots_are_found() -> None:
    assert unassigned({"a": set(range(1, SLOTS))}) == {0}
    assert unassigned({}) == set(range(SLOTS))


@given(ownerships(), st.integers(1, len(NODES)))
def test_after_the_moves_slots_are_balanced_and_none_is_lost(owned: dict[str, set[int]], masters: int) -> None:
    wanted = NODES[:masters]
    plan = moves(owned, wanted)
    after = {node: set(owned.get(node, set())) for node in NODES}
    for (source, target), pieces in plan.items():
        for first, last in pieces:
            piece = set(range(first, last + 1))
            assert piece <= after[source]
            after[source] -= piece
            after[target] |= piece
    assert not unassigned(after)
    sizes = [len(after[node]) for node in wanted]
    assert sum(sizes) == SLOTS
    assert max(sizes) - min(sizes) <= 1
    moved = sum(last - first + 1 for pieces in plan.values() for first, last in pieces)
    needed = sum(max(0, len(after[node]) - len(owned.get(node, set()))) for node in wanted)
    assert moved == needed


@given(ownerships(), st.integers(1, len(NODES)))
def test_no_more_slots_move_than_necessary(owned: dict[str, set[int]], masters: int) -> None:
    wanted = NODES[:masters]
    plan = moves(owned, wanted)
    after = {node: set(owned.get(node, set())) for node in NODES}
    for (source, target), pieces in plan.items():
        for first, last in pieces:
            after[source] -= set(range(first, last + 1))
            after[target] |= set(range(first, last + 1))
    assert moves(after, wanted) == {}
