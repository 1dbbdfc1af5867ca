"""Redis Cluster hash slots: who has which, and a plan that balances them."""

from collections.abc import Iterable, Mapping, Sequence

SLOTS = 16384
"""Hash slots of every Redis Cluster (its specification, "Key distribution model")."""

Range = tuple[int, int]
"""The first and the last of neighbouring slots."""


def ranges(slots: Iterable[int]) -> list[Range]:
    """Return slots as ranges, in order."""
    found: list[Range] = []
    for slot in sorted(slots):
        if found and found[-1][1] == slot - 1:
            found[-1] = (found[-1][0], slot)
        else:
            found.append((slot, slot))
    return found


def unassigned(owned: Mapping[str, set[int]]) -> set[int]:
    """Return the slots that no node has."""
    return set(range(SLOTS)).difference(*owned.values())


def moves(owned: Mapping[str, set[int]], masters: Sequence[str]) -> dict[tuple[str, str], list[Range]]:
    """Return what to move, by source and target, so that the masters have all slots, and equally many.

    No more is moved than has to be, and what moves are a source's last slots, so that ranges stay whole.

    Args:
        owned: the slots of each node that has some.
        masters: the nodes that shall have them.
    """
    share, rest = divmod(SLOTS, len(masters))
    # Who has most gets the odd ones: they are there already.
    by_size = sorted(masters, key=lambda node: -len(owned.get(node, set())))
    wanted = {node: share + (place < rest) for place, node in enumerate(by_size)}
    spare = {
        node: sorted(slots)[wanted.get(node, 0) :] for node, slots in owned.items() if len(slots) > wanted.get(node, 0)
    }
    plan: dict[tuple[str, str], list[Range]] = {}
    for target in masters:
        missing = wanted[target] - len(owned.get(target, set()))
        for source, slots in spare.items():
            taken = slots[len(slots) - max(0, min(missing, len(slots))) :]
            if taken:
                plan[source, target] = ranges(taken)
                del slots[len(slots) - len(taken) :]
                missing -= len(taken)
    return plan
