"""Roles of a Redis Cluster's servers: no two masters together, no replica beside its master."""

from collections.abc import Iterator, Mapping
from itertools import permutations, product
from random import Random

import pytest

from app.cli.cluster_roles import Exchange, Failover, Masters, Place, conflicts, plan

SERVERS = ("m0", "m1", "m2", "r0", "r1", "r2")
PAIRS: Masters = {"m0": "m0", "m1": "m1", "m2": "m2", "r0": "m0", "r1": "m1", "r2": "m2"}


def layouts(servers: tuple[str, ...]) -> Iterator[dict[str, int]]:
    """Every way to put the servers on nodes that have no names of their own: 203 of six."""
    if not servers:
        yield {}
        return
    for rest in layouts(servers[:-1]):
        nodes = max(rest.values(), default=-1) + 1
        for node in range(nodes + 1):
            yield {**rest, servers[-1]: node}


def every_role() -> Iterator[Masters]:
    """Each assignment that keeps the shards' data where it is: replicas are exchanged, and then shards fail over."""
    for order in permutations(SERVERS[3:]):
        pairs = list(zip(SERVERS[:3], order, strict=True))
        for heads in product((0, 1), repeat=3):
            yield {server: pair[head] for pair, head in zip(pairs, heads, strict=True) for server in pair}


ROLES = list(every_role())


def after(masters: Masters, places: Mapping[str, Place]) -> Masters:
    for step in plan(masters, places):
        masters = step.apply(masters)
    return masters


def on(nodes: Mapping[str, object], zones: Mapping[str, object] | None = None) -> dict[str, Place]:
    return {
        server: Place(node=f"node-{node}", zone=f"zone-{zones[server]}" if zones else "")
        for server, node in nodes.items()
    }


def test_there_are_203_layouts_and_15_of_two_servers_a_node() -> None:
    found = list(layouts(SERVERS))
    assert len(found) == 203
    assert sum(sorted(layout.values()) == [0, 0, 1, 1, 2, 2] for layout in found) == 15


def test_two_servers_on_each_of_three_nodes_can_always_be_without_conflict() -> None:
    for layout in layouts(SERVERS):
        if sorted(layout.values()) == [0, 0, 1, 1, 2, 2]:
            assert conflicts(after(PAIRS, on(layout)), on(layout)) == (0, 0), layout


def test_of_every_layout_on_nodes_the_plan_finds_the_least_conflicts() -> None:
    for layout in layouts(SERVERS):
        places = on(layout)
        assert conflicts(after(PAIRS, places), places) == min(conflicts(roles, places) for roles in ROLES), layout


def test_of_every_layout_of_nodes_in_zones_the_plan_finds_the_least_conflicts() -> None:
    for layout in layouts(SERVERS):
        nodes = dict(zip(SERVERS, range(6), strict=True))  # a node each, as in a large cluster
        places = on(nodes, layout)
        assert conflicts(after(PAIRS, places), places) == min(conflicts(roles, places) for roles in ROLES), layout


@pytest.mark.parametrize(("shards", "followers", "nodes"), [(4, 1, 4), (5, 1, 5), (3, 2, 3), (3, 2, 5), (8, 1, 8)])
def test_larger_clusters_that_lie_evenly_have_no_conflict_left(shards: int, followers: int, nodes: int) -> None:
    masters = {f"m{shard}": f"m{shard}" for shard in range(shards)}
    masters |= {f"r{shard}-{number}": f"m{shard}" for shard in range(shards) for number in range(followers)}
    even = [place % nodes for place in range(len(masters))]
    for seed in range(10):
        shuffled = Random(seed).sample(even, len(even))  # noqa: S311 no secret
        places = on(dict(zip(masters, shuffled, strict=True)))
        assert conflicts(after(masters, places), places) == (0, 0), shuffled


def test_nothing_is_done_where_nothing_is_gained() -> None:
    assert plan(PAIRS, on(dict.fromkeys(SERVERS, 0))) == []
    assert plan(PAIRS, dict.fromkeys(SERVERS, Place())) == []
    assert plan(PAIRS, on({"m0": 0, "r2": 0, "m1": 1, "r0": 1, "m2": 2, "r1": 2})) == []


def test_a_master_that_came_to_another_hands_over_to_its_replica() -> None:
    assert plan(PAIRS, on({"m0": 0, "m1": 0, "r0": 1, "r1": 2, "m2": 2, "r2": 1})) == [Failover("r0")]


def test_replicas_beside_their_masters_are_exchanged() -> None:
    places = on({"m0": 0, "r0": 0, "m1": 1, "r1": 1, "m2": 2, "r2": 3})
    assert plan(PAIRS, places) == [Exchange("r0", "r1")]
