"""addresses.py: where an event may be sent to, by the address that a connection would lead to."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from handler.connections import Connections
from handler.errors import NoAnswerError
from handler.forwarding.addresses import forward_client, is_public, permits
from handler.http_client import HttpClient
from tests.peer import Peer


@pytest.mark.parametrize(
    "address",
    [
        *("10.0.0.1", "172.16.5.5", "192.168.1.1", "127.0.0.1", "127.8.8.8", "0.0.0.0"),
        *("169.254.0.23", "169.254.169.254", "100.64.0.1", "224.0.0.1", "255.255.255.255"),
        *("::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "fd12::1", "ff02::1"),
        *("::ffff:10.0.0.1", "::ffff:127.0.0.1", "64:ff9b::10.0.0.1", "2002:0a00:0001::"),
        *("::127.0.0.1", "::ffff:0:127.0.0.1", "64:ff9b:1::10.0.0.1", "fec0::1", "5f00::1"),
        *("2001:0:7f00:1::", "100:0:0:1::1", "192.0.0.8", "192.88.99.1", "4000::1", "3fff::1"),
        *("198.18.0.1", "192.0.2.1", "2001:db8::1", "not-an-address", ""),
    ],
)
def test_an_address_that_is_not_public_is_refused(address: str) -> None:
    """Private, loopback, link-local, shared, reserved, multicast, in whichever notation."""
    assert not is_public(address)
    assert not permits(())("example.com", address)


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "119.29.29.29", "2400:3200::1", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8"]
)
def test_a_public_address_is_allowed(address: str) -> None:
    """Of IPv4 and of IPv6."""
    assert permits(())("example.com", address)


def test_a_host_that_is_allowed_may_have_any_address() -> None:
    """Whatever its case; no other host may."""
    allowed = permits({"Hooks.internal"})
    assert allowed("hooks.internal", "10.0.0.1")
    assert not allowed("other.internal", "10.0.0.1")


@pytest.fixture
def peer() -> Iterator[Peer]:
    with contextlib.closing(Peer()) as opened:
        yield opened


def names(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> list[str]:
    """Let each name resolve to these; the names that were looked up."""
    real, asked = socket.getaddrinfo, []

    def resolve(host: str | bytes, port: int, *args: Any, **more: Any) -> Any:
        if more.get("flags"):
            raise OSError("not a number")
        asked.append(host if isinstance(host, str) else host.decode())
        return [entry for address in addresses for entry in real(address, port, **more)]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    return asked


def test_a_name_that_resolves_to_a_private_address_is_refused(
    peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is sent, and no connection is opened."""
    names(monkeypatch, "127.0.0.1")
    client = HttpClient(connections=Connections(permits=permits(())))
    with pytest.raises(NoAnswerError, match="not a public one") as refusal:
        client.send("POST", f"http://hooks.example.com:{peer.port}/", {}, b"{}", 5)
    assert (refusal.value.stage, refusal.value.may_have_arrived) == ("address", False)
    assert peer.connections == 0


def test_the_connection_leads_to_the_address_that_was_checked(
    peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The name is looked up once: a second answer of its DNS server changes nothing."""
    asked = names(monkeypatch, "127.0.0.1")
    client = HttpClient(connections=Connections(permits=lambda host, address: True))
    client.send("POST", f"http://hooks.example.com:{peer.port}/", {}, b"{}", 5)
    assert asked == ["hooks.example.com"]
    client.close()


def test_of_several_addresses_only_those_that_are_allowed_are_tried(
    peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A private one beside a public one is passed over."""
    names(monkeypatch, "127.0.0.2", "127.0.0.1")
    only = Connections(permits=lambda host, address: address == "127.0.0.1")
    answer = HttpClient(connections=only).send(
        "POST", f"http://hooks.example.com:{peer.port}/", {}, b"{}", 5
    )
    assert answer.status == 200
    only.close()


def test_the_client_of_the_process_refuses_loopback_unless_it_is_allowed(peer: Peer) -> None:
    """By FORWARD_ALLOW_HOSTS."""
    with pytest.raises(NoAnswerError, match="not a public one"):
        forward_client(frozenset()).send("POST", peer.url, {}, b"{}", 5)
    client = forward_client(frozenset({"127.0.0.1"}))
    assert client.send("POST", peer.url, {}, b"{}", 5).status == 200
    assert forward_client(frozenset({"127.0.0.1"})) is client
    client.close()
