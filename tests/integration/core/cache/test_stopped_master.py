"""A master of the cache that is stopped hands its slots over before it goes."""

import os
import signal

from redis.cluster import ClusterNode, RedisCluster
from redis.exceptions import ConnectionError, TimeoutError  # noqa: A004 - the client's own names

from tests.support.ports import wait_for
from tests.support.valkey_cluster import cluster_servers, shape
from tests.support.writes import writes

# No failure is noticed within the test: what is served again was handed over.
NEVER = {"cluster_node_timeout": "600000"}


def test_a_stopped_masters_keys_are_served_by_its_replica_at_once_and_none_is_lost() -> None:
    with cluster_servers(6, shutdown_on_sigterm="failover", **NEVER) as servers:
        assert shape(servers, 3) == 0
        victim, rest = servers[0], servers[1:]
        assert victim.client(decode_responses=True).info("replication")["role"] == "master"
        cluster = RedisCluster(startup_nodes=[ClusterNode("127.0.0.1", server.port) for server in rest])  # type: ignore[no-untyped-call]
        # A command that is under way when the connection goes may fail.
        with writes(cluster, tolerated=(ConnectionError, TimeoutError)) as done:
            wait_for(lambda: done["writes"] > 100, "clients work")
            os.kill(victim._process.pid, signal.SIGTERM)
            wait_for(lambda: victim._process.poll() is not None, "the master is gone")
            after = done["writes"]
            wait_for(lambda: done["writes"] > after + 300, "clients go on, with keys of each shard")
        assert all(cluster.get(f"key {number}") == str(number).encode() for number in range(done["writes"]))
