"""Limits who may talk to the server: only this machine, and in a browser no other site's pages.

A page of another site can make a browser send requests to 127.0.0.1, and by a name that it
lets point there (DNS rebinding) even read the answers. So the Host header must be ours, and
a request that a browser marks as another site's is refused.
"""

from __future__ import annotations

import ipaddress

_NAMES = ("127.0.0.1", "localhost", "[::1]")
_HTTP_PORT = 80
_OTHER_SITES = frozenset({"cross-site", "same-site"})


class NotLoopbackError(ValueError):
    """An address that other machines could reach."""


def check_address(host: str) -> None:
    """Let loopback addresses through.

    Raises:
        NotLoopbackError
    """
    try:
        is_loopback = ipaddress.ip_address(host).is_loopback
    except ValueError:
        is_loopback = False
    if not is_loopback:
        raise NotLoopbackError(
            f"{host} is no loopback address: serve shows the ledger to everyone who reaches it, "
            "so it binds only to 127.0.0.1 or ::1"
        )


def is_own_host(host: str, port: int) -> bool:
    """Whether a Host header names this server. A name without a port means port 80."""
    return host.lower() in {f"{name}:{port}" for name in _NAMES} | (
        set(_NAMES) if port == _HTTP_PORT else set()
    )


def is_foreign(origin: str | None, site: str | None, port: int) -> bool:
    """Whether a browser sent it from a page of another site. Clients that are not browsers, such as
    CI or curl, send neither of the two headers. origin: Origin; site: Sec-Fetch-Site."""
    if origin is not None:
        scheme, _, host = origin.partition("://")
        return scheme != "http" or not is_own_host(host, port)
    return (site or "").lower() in _OTHER_SITES
