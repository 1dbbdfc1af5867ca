"""By what clients are counted: IPv4 addresses, and /64 networks of IPv6."""

from ipaddress import IPv4Address, IPv6Address, IPv6Network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.network import network_of

MAPPED = 0xFFFF << 32


@pytest.mark.parametrize(
    ("address", "counted_by"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("192.0.2.7:4711", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("[::ffff:c000:207]:443", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:0DB8:0001:0002::", "2001:db8:1:2::/64"),
        ("[2001:db8:1:2::1]:443", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::1", "::/64"),
        ("unknown", "unknown"),
        ("", ""),
    ],
)
def test_an_address_is_counted_by_its_network(address: str, counted_by: str) -> None:
    assert network_of(address) == counted_by


@given(st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1))
def test_addresses_of_a_64_are_one_and_of_another_one_are_not(prefix: int, host: int, other: int) -> None:
    first, second = (IPv6Address(prefix << 64 | low) for low in (host, other))
    if first.ipv4_mapped or second.ipv4_mapped:
        return
    assert network_of(str(first)) == network_of(second.exploded) == str(IPv6Network((prefix << 64, 64)))
    neighbour = IPv6Address((prefix ^ 1) << 64 | host)
    assert network_of(str(neighbour)) != network_of(str(first))


@given(st.integers(0, 2**32 - 1))
def test_an_ipv4_address_is_the_same_however_it_is_written(number: int) -> None:
    assert network_of(str(IPv6Address(MAPPED | number))) == network_of(str(IPv4Address(number)))


@given(st.text())
def test_any_text_stands_for_something(text: str) -> None:
    assert isinstance(network_of(text), str)
