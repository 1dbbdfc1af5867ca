"""Networks by which client addresses are counted."""

from ipaddress import IPv6Address, ip_address, ip_network

SITE = 64
"""Bits of an IPv6 address that a subscriber can't change: each gets a /64 at least (RFC 6177), with 2^64 addresses."""


def network_of(address: str) -> str:
    """Return what stands for an address where clients are counted: an IPv4 address as it is, of IPv6 its /64.

    Args:
        address: as the server or a trusted proxy has it: perhaps IPv4 mapped into IPv6 (RFC 4291, section 2.5.5.2),
            with a zone, or with a port. What is no address stands for itself.
    """
    host = address.strip()
    if host.startswith("["):
        host = host[1:].partition("]")[0]
    elif host.count(":") == 1:
        host = host.partition(":")[0]
    try:
        parsed = ip_address(host.partition("%")[0])
    except ValueError:
        return address
    if not isinstance(parsed, IPv6Address):
        return str(parsed)
    if parsed.ipv4_mapped:
        return str(parsed.ipv4_mapped)
    return str(ip_network((parsed, SITE), strict=False))
