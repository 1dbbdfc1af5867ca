"""The name servers of pods."""

from __future__ import annotations

from local.cluster.node_agents import name_servers


def test_name_servers_on_the_loopback_are_not_for_pods() -> None:
    text = "# made by hand\nnameserver 127.0.0.53\nnameserver ::1\nnameserver 192.0.2.53\nsearch example.org\n"
    assert name_servers(text) == ["192.0.2.53"]
