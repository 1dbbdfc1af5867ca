"""Address blocks that policies name, as tests expect them."""

from typing import Any

WORLD = {"0.0.0.0/0": ["169.254.0.0/16"], "::/0": ["fe80::/10", "fd00:ec2::/32", "fd20:ce::254/128"]}
"""Every address of either family, with what is left out: a node's own addresses, and those of metadata services."""

OUTSIDE: list[dict[str, Any]] = [{"ipBlock": {"cidr": block, "except": out}} for block, out in WORLD.items()]
"""The same as peers of a rule."""
