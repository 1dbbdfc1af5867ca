"""Client networks, by which rate limits count addresses."""

from ipaddress import IPv6Address, ip_address, ip_network

SITE = 64
"""Prefix length of IPv6: each subscriber has at least a /64 (RFC 6177), with 2^64 addresses to choose from."""


def network_of(address: str) -> str:
    """Return the rate-limit key of a client address: an IPv4 address itself, or the /64 of an IPv6 address.

    Args:
        address: from the server or a trusted proxy: perhaps IPv4-mapped (RFC 4291, section 2.5.5.2), with a zone, or
            with a port. Any other text is returned unchanged.
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
