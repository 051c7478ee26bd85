"""Which addresses an event may be sent to: public ones, unless the host is named in
FORWARD_ALLOW_HOSTS."""

from __future__ import annotations

import functools
import ipaddress
from collections.abc import Collection

from handler.connections import Connections
from handler.http_client import MAX_BYTES, HttpClient
from handler.sockets import Permits

_NAT64 = ipaddress.ip_network("64:ff9b::/96")
"""Addresses that hold one of IPv4 in their last 32 bits (RFC 6052)."""

_UNICAST = ipaddress.ip_network("2000::/3")
"""The addresses of IPv6 that are given out for the public Internet (RFC 4291, 2.4)."""

_SPECIAL = tuple(
    map(ipaddress.ip_network, ("192.0.0.0/24", "192.88.99.0/24", "2001::/23", "3fff::/20"))
)
"""Registered for protocols and documents; not each release of Python knows of each."""


def is_public(address: str) -> bool:
    """Whether an IP address is one of the public Internet: none that is private, loopback,
    link-local, shared, reserved or multicast, whichever way an address of IPv4 is written."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour
        if inner is None and ip in _NAT64:
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFF_FFFF)
        if inner is not None:
            return is_public(str(inner))
        if ip not in _UNICAST:
            return False
    return ip.is_global and not ip.is_multicast and not any(ip in network for network in _SPECIAL)


def permits(allowed_hosts: Collection[str]) -> Permits:
    """The addresses that a connection for an event may lead to. allowed_hosts: hosts whose address
    is not checked."""
    allowed = {host.lower() for host in allowed_hosts}
    return lambda host, address: host.lower() in allowed or is_public(address)


@functools.lru_cache(maxsize=2)
def forward_client(allowed_hosts: frozenset[str]) -> HttpClient:
    """The client of this process for events: its connections outlive an invocation."""
    return HttpClient(MAX_BYTES, Connections(permits=permits(allowed_hosts)))
