"""Which servers of a Redis Cluster are masters, and whom the others replicate: a plan that survives a node and a zone.

Without a majority of its masters a cluster elects nobody, and a replica beside its master is lost with it. So masters
are kept apart from each other, and replicas from their masters: over nodes first, then over zones.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations

Masters = Mapping[str, str]
"""Each server's master; a master's is itself."""


@dataclass(frozen=True)
class Place:
    """Where a server runs. What is empty is unknown, and shared with nobody."""

    node: str = ""
    zone: str = ""


@dataclass(frozen=True)
class Failover:
    """The replica takes its master's place, and that one follows it."""

    replica: str

    def apply(self, masters: Masters) -> Masters:
        """Return the roles after it."""
        former = masters[self.replica]
        return {server: self.replica if master == former else master for server, master in masters.items()}


@dataclass(frozen=True)
class Exchange:
    """Two replicas follow each other's master."""

    one: str
    other: str

    def apply(self, masters: Masters) -> Masters:
        """Return the roles after it."""
        return {**masters, self.one: masters[self.other], self.other: masters[self.one]}


Step = Failover | Exchange


def conflicts(masters: Masters, places: Mapping[str, Place]) -> tuple[int, int]:
    """Return how many pairs share a node, and a zone: of two masters, and of a master and its replica."""
    apart = [*combinations(sorted(set(masters.values())), 2)]
    apart += [(server, master) for server, master in masters.items() if server != master]
    nodes = sum(bool(places[one].node) and places[one].node == places[other].node for one, other in apart)
    zones = sum(bool(places[one].zone) and places[one].zone == places[other].zone for one, other in apart)
    return nodes, zones


def plan(masters: Masters, places: Mapping[str, Place]) -> list[Step]:
    """Return the steps that leave the fewest conflicts within reach, each with its conflicts taken away; often none.

    The best step is taken again and again, or the best two where one alone is no gain. From every layout of six servers
    in pairs that leads to the least there is (the tests enumerate them).
    """
    steps: list[Step] = []
    while found := _better(masters, places):
        for step in found:
            masters = step.apply(masters)
        steps += found
    return steps


def _better(masters: Masters, places: Mapping[str, Place]) -> list[Step]:
    least = conflicts(masters, places)
    if least == (0, 0):
        return []
    best: list[Step] = []
    for depth in (1, 2):
        for path in _paths(masters, depth):
            after = masters
            for step in path:
                after = step.apply(after)
            if (count := conflicts(after, places)) < least:
                least, best = count, path
        if best:
            return best
    return []


def _paths(masters: Masters, depth: int) -> Iterator[list[Step]]:
    for step in _steps(masters):
        if depth == 1:
            yield [step]
        else:
            yield from ([step, *rest] for rest in _paths(step.apply(masters), depth - 1))


def _steps(masters: Masters) -> Iterator[Step]:
    replicas = sorted(server for server, master in masters.items() if server != master)
    yield from (Failover(replica) for replica in replicas)
    yield from (Exchange(*pair) for pair in combinations(replicas, 2) if masters[pair[0]] != masters[pair[1]])
