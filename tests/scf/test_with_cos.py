"""The function on the platform, with COS: keys end, connections die, two timers fire at once."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from ci_callback.events import http_event
from ci_callback.log_recovery import recover
from ci_callback.scf_runner import Code, Invoked, ScfRunner, from_source, timer_event
from tests.conftest import PAYLOADS
from tests.fake_cos import FakeCos, Fault
from tests.fake_cos.server import Death

GOOD = (PAYLOADS / "Translation.seed.json").read_bytes()
FAILED = GOOD.replace(b'"Code": "Success"', b'"Code": "InvalidArgument"').replace(
    b'"State": "Success"', b'"State": "Failed"'
)


@pytest.fixture(scope="module")
def code() -> Iterator[Code]:
    """The function's own."""
    with from_source() as function_code:
        yield function_code


@contextmanager
def deployed(code: Code, cos: FakeCos, **asked: Any) -> Iterator[ScfRunner]:
    """The function with its ledger on COS."""
    env = cos.env | {"CALLBACK_TOKENS": "none", "LEASE_WAIT_S": "0.5"}
    with ScfRunner(code, env, **asked) as scf:
        yield scf


def status(invoked: Invoked) -> int:
    """Of the function's own answer."""
    assert invoked.status == 200, invoked
    status_code: int = invoked.answer["statusCode"]
    return status_code


def events(invoked: Invoked) -> list[str]:
    """What it logged."""
    return [json.loads(row.text)["event"] for row in invoked.rows]


def test_a_callback_of_a_cold_and_of_a_warm_instance_is_kept(code: Code, cos: FakeCos) -> None:
    """The second one on the connection of the first."""
    with deployed(code, cos) as scf:
        before = cos.connections
        assert [status(scf.invoke(http_event(GOOD))) for _ in range(2)] == [200, 200]
    assert cos.connections == before + 1
    assert len(cos.keys()) == 1


def test_keys_are_renewed_and_old_ones_refused(code: Code, cos: FakeCos) -> None:
    """A warm instance signs with those of its event, and not with those that it began with."""
    keys = {"TENCENTCLOUD_SECRETID": "AKIDfirst", "TENCENTCLOUD_SECRETKEY": "first-key"}

    def rotate(name: str) -> None:
        keys.update(
            TENCENTCLOUD_SECRETID=f"AKID{name}",
            TENCENTCLOUD_SECRETKEY=f"{name}-key",
            TENCENTCLOUD_SESSIONTOKEN=f"{name}-token",
        )

    def accept(name: str) -> None:
        cos.secrets, cos.security_token = {f"AKID{name}": f"{name}-key"}, f"{name}-token"

    kept = cos.secrets
    try:
        rotate("first")
        accept("first")
        with deployed(code, cos, credentials=lambda: keys) as scf:
            assert status(scf.invoke(http_event(GOOD))) == 200
            accept("second")
            assert status(scf.invoke(http_event(GOOD))) == 503
            rotate("second")
            assert status(scf.invoke(http_event(GOOD))) == 200
            assert scf.started == 1
    finally:
        cos.secrets = kept


@pytest.mark.parametrize("death", ["reset", "silence"])
def test_connections_that_died_while_it_was_frozen_lose_nothing(
    code: Code, cos: FakeCos, death: Death
) -> None:
    """And need no second attempt: the first one goes on a new connection."""
    with deployed(code, cos) as scf:
        assert status(scf.invoke(http_event(GOOD))) == 200
        assert cos.forget_idle(death) >= 1
        assert status(scf.invoke(http_event(FAILED))) == 202  # another end of the same job
        scf.offset += 3600
        assert status(scf.invoke(http_event(GOOD))) == 200


def test_two_timers_at_once_do_the_work_once(code: Code, cos: FakeCos) -> None:
    """On two instances: one has the lease, or each sees the other's."""
    with deployed(code, cos) as scf:
        status(scf.invoke(http_event(FAILED)))
        together, runs = threading.Barrier(2, timeout=30), []

        def fire() -> None:
            together.wait()
            runs.append(scf.fire(timer_event("sweep", scf.clock())))

        threads = [threading.Thread(target=fire) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert scf.started == 2
        while any("-alert." in key for key in cos.keys("ci/_outbox/")):
            scf.offset += 60
            runs.append(scf.fire(timer_event("sweep", scf.clock())))
    assert {run.status for run in runs} == {200}
    digests = [
        request for request in cos.seen if request.method == "PUT" and "_digests/" in request.key
    ]
    assert len({request.key for request in digests}) <= 1
    assert len(cos.keys("ci/_done/")) == 1


def test_a_body_that_only_the_log_has_is_whole_after_the_log_service(
    code: Code, cos: FakeCos
) -> None:
    """It takes the lines of the real function, as the platform passes them on."""
    body = GOOD.replace(
        b"my Translation job", b"\\u00e9".join(str(n).encode() for n in range(9000))
    )
    with (
        cos.faulty(lambda seen: Fault(before=(503, "ServiceUnavailable"))),
        deployed(code, cos) as scf,
    ):
        invoked = scf.invoke(http_event(body))
    assert status(invoked) == 503
    recovered = recover(json.dumps(row.fields()) for row in invoked.rows)
    assert [entry.body for entry in recovered.bodies] == [body]
    assert events(invoked).count("callback_not_stored") > 1
