"""One HTTP client for CI and the channels serves every invocation of a process."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import pytest

from ci_callback.ci_simulator.fixtures import SECRET_ID, SECRET_KEY
from ci_callback.ci_simulator.server import Seen
from tests.fake_cos.server import Reply, Request, Server
from tests.world import World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(tmp_path / "ledger", VERIFY_CALLBACKS="always", ALERT_URLS="") as playing:
        yield playing


@pytest.fixture
def server(world: World) -> Iterator[Server]:
    """CI, behind a server that counts connections."""

    def serve(request: Request) -> Reply:
        path, _, query = request.target.partition("?")
        seen = Seen(
            request.method, request.target, unquote(path), query, request.headers, request.body
        )
        reply = world.ci.answer(seen)
        return Reply(reply.status, "", dict(reply.headers), reply.body)

    serving = Server(serve)
    try:
        world.env["COS_ENDPOINT"] = f"http://127.0.0.1:{serving.port}"
        yield serving
    finally:
        serving.close()


def test_a_later_invocation_uses_the_connection_of_an_earlier_one(
    world: World, server: Server
) -> None:
    """A new one costs a TLS handshake, and a new client the reading of all certificates."""
    job = world.submit()
    world.fail(job)
    assert world.deliver(job)[0] == 200  # asks CI, since VERIFY_CALLBACKS is always
    world.now += 3600
    assert world.sweep()["submitted"] == 1
    assert server.accepted == 1


def test_each_invocation_signs_with_its_own_credentials(world: World, server: Server) -> None:
    """SCF's expire: CI refuses those of the invocation before."""
    for number in (1, 2):
        world.ci.secrets = {f"AKID{number}": f"secret{number}"}
        world.ci.security_token = f"token{number}"
        world.env |= {
            "TENCENTCLOUD_SECRETID": f"AKID{number}",
            "TENCENTCLOUD_SECRETKEY": f"secret{number}",
            "TENCENTCLOUD_SESSIONTOKEN": f"token{number}",
        }
        job = _submitted(world)
        world.fail(job)
        _, answer = world.deliver(job)
        assert answer["jobs"][0]["status"] == "kept"
    assert server.accepted == 1


def _submitted(world: World) -> str:
    """A job of the user's, whose own credentials play no part."""
    secrets, token = world.ci.secrets, world.ci.security_token
    world.ci.secrets, world.ci.security_token = {SECRET_ID: SECRET_KEY}, None
    try:
        return world.submit()
    finally:
        world.ci.secrets, world.ci.security_token = secrets, token
