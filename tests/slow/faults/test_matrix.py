"""Each operation of the store, of CI and of the channel failing in each way, alone and in pairs:
whatever it is, the promises hold in the end.

In memory alone and in pairs (matrix.py has the whole of it), over sockets alone; and the
doubles in memory fail just as the clients do over sockets.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from ci_callback.ci_simulator import BUCKET, REGION
from ci_callback.ci_simulator.fixtures import SECRET_ID, SECRET_KEY
from handler.alerts.channels import Transports, channels, send
from handler.alerts.digest import Message
from handler.callback.families import FAMILIES
from handler.ci_api.client import Ci, CiAddress
from handler.ci_api.job_page import Window
from handler.errors import HandlerError
from handler.http_client import Http
from handler.ledger.bucket import Credentials
from handler.ledger.store import Store
from tests.fake_cos import FakeCos, Fault
from tests.slow.faults import matrix
from tests.slow.faults.promises import Promises
from tests.slow.faults.story import ENV, PARTS, play
from tests.slow.faults.ways import (
    BELIEVED,
    CARRIED_OUT,
    CHANNEL,
    CI,
    OPERATIONS,
    STORE,
    WAYS,
    Way,
    Wrong,
)
from tests.slow.faults.worlds import Faces, MemoryWorld, SocketWorld
from tests.stores import Wrapped
from tests.world import TRANSLATION

every_operation = pytest.mark.parametrize("operation", OPERATIONS)
every_way = pytest.mark.parametrize("way", WAYS)


@pytest.fixture(scope="module")
def faces() -> Iterator[Faces]:
    """COS, CI and a robot behind sockets."""
    with FakeCos() as cos, Faces(cos) as opened:
        yield opened


@pytest.fixture(scope="module")
def counts() -> dict[str, int]:
    """How often each operation is called where all is well."""
    return matrix.calls()


# --- the table is whole --------------------------------------------------------------------


def methods(kind: type) -> set[str]:
    """What can be asked of a class."""
    return {name for name, _ in inspect.getmembers(kind, inspect.isfunction) if name[0] != "_"}


def test_the_table_names_every_operation(counts: dict[str, int]) -> None:
    """A new method of Store, Ci or Http must go in, and the play must come by it."""
    assert set(STORE) == methods(Store)
    assert set(CI) == methods(Ci)
    assert set(CHANNEL) == methods(Http)
    assert set(counts) == set(OPERATIONS)
    assert set(STORE) <= set(vars(Wrapped))


# --- alone and in pairs, in memory ---------------------------------------------------------


@pytest.mark.sample
def test_a_submission_that_is_cut_off_breaks_no_promise() -> None:
    """One cell of the matrix, in memory."""
    wrong = Wrong("create", "reset after", 1)
    story, broken = matrix.tell(wrong)
    assert [met.wrong for met in story.injector.met] == [wrong]
    assert broken == []


@every_operation
def test_whichever_call_fails_the_promises_hold(operation: str, counts: dict[str, int]) -> None:
    """In every way: at the first call of the operation, and at another one."""
    for case in matrix.singles(counts):
        if case[0].operation != operation:
            continue
        story, broken = matrix.tell(*case)
        assert [met.wrong for met in story.injector.met] == list(case)
        assert broken == [], f"{case[0]}"


@every_operation
def test_whichever_two_calls_fail_the_promises_hold(operation: str, counts: dict[str, int]) -> None:
    """About each fourteenth of the pairs that begin with this operation."""
    played = met = 0
    for case in matrix.pairs(counts, matrix.EVERY):
        if case[0].operation != operation:
            continue
        story, broken = matrix.tell(*case)
        assert broken == [], " and ".join(map(str, case))
        played += 1
        met += len(story.injector.met) == 2
    assert met > played / 2 > 0


def test_every_cell_is_in_a_pair_with_every_operation(counts: dict[str, int]) -> None:
    """All of them are pairs of each two cells; those that the suite plays leave no cell out."""
    everything = list(matrix.pairs(counts))
    number = len(matrix.CELLS)
    assert len({frozenset((a[:2], b[:2])) for a, b in everything}) == number * (number + 1) // 2
    assert all(a[::2] != b[::2] for a, b in everything)
    played = {wrong[:2] for case in matrix.pairs(counts, matrix.EVERY) for wrong in case}
    assert played == set(matrix.CELLS)


def test_a_promise_that_is_broken_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """The play can fail: a store that says yes and keeps nothing is found out."""
    monkeypatch.setattr(
        "tests.slow.faults.ways.WrongStore._ask", lambda self, operation, key, request: None
    )
    _, broken = matrix.tell(Wrong("put_new", "HTML", 1))
    assert any(promise.startswith("submitted_once") for promise in broken)
    _, broken = matrix.tell(Wrong("put", "HTML", 1))
    assert any(promise.startswith("alerted_what_there_is") for promise in broken)


# --- alone, over sockets -------------------------------------------------------------------

SHORT = {"list_jobs": "is doubled", "list_page": "is absent", "create": "recovers"} | dict.fromkeys(
    ("describe", "trigger_workflow"), "is a workflow's"
)
"""The part of the play that comes by an operation; a failure that is told comes by the rest."""


@every_way
@every_operation
def test_over_sockets_the_promises_hold(
    operation: str, way: Way, faces: Faces, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The real SDK and the real HTTP client meet it, each of their tries."""
    monkeypatch.setattr("handler.parallel.POOL", 1)
    wrong = Wrong(operation, way)
    story = play(SocketWorld(faces, **ENV), (SHORT.get(operation, "is alerted"),), wrong)
    assert [met.wrong for met in story.injector.met] == [wrong]
    assert Promises(story).broken() == []


def test_over_sockets_the_play_is_the_same(
    faces: Faces, counts: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """All parts of it, with the very same calls."""
    monkeypatch.setattr("handler.parallel.POOL", 1)
    story = play(SocketWorld(faces, **ENV), tuple(PARTS))
    assert Promises(story).broken() == []
    assert story.injector.calls == counts


# --- the doubles are faithful --------------------------------------------------------------


def response(call: Callable[[], Any]) -> object:
    """What comes of a call: a value, or the kind of error and the status that it carries."""
    try:
        return call()
    except HandlerError as error:
        return type(error).__name__, getattr(error, "status", None)


def on_store(operation: str, store: Store) -> object:
    """Ask one thing of a store in which `a/old` is there and `a/new` is not."""
    asked: dict[str, Callable[[], Any]] = {
        "put": lambda: store.put("a/old", b"2"),
        "put_new": lambda: store.put_new("a/new", b"2"),
        "get": lambda: store.get("a/old"),
        "list": lambda: [*store.list("a/")],
        "folders": lambda: [*store.folders("a")],
        "delete": lambda: store.delete("a/old"),
        "delete_many": lambda: store.delete_many(["a/old", "a/other"]),
    }
    return response(asked[operation])


@every_way
@pytest.mark.parametrize("operation", STORE)
def test_the_store_in_memory_fails_as_cos_does(operation: str, way: Way, faces: Faces) -> None:
    """The same error with the same status, and the same in the store afterwards."""
    outcomes = []
    for world in (MemoryWorld(), SocketWorld(faces)):
        world.store.put("a/old", b"1")
        came = on_store(operation, world.wrong_store(way))
        outcomes.append((came, [(key, world.store.get(key)) for key in world.keys("a/")]))
    assert outcomes[0] == outcomes[1]
    assert ((operation, way) in BELIEVED) == (not isinstance(outcomes[0][0], tuple))
    if operation not in ("get", "list", "folders"):
        assert (outcomes[0][1] != [("a/old", b"1")]) == (way in CARRIED_OUT)


@pytest.mark.parametrize("operation", STORE)
def test_a_redirect_is_no_yes(operation: str, faces: Faces) -> None:
    """COS sends one for a bucket whose name is not known everywhere yet, and nothing is done."""
    world = SocketWorld(faces)
    with faces.cos.faulty(lambda seen: Fault(before=(307, "TemporaryRedirect"))):
        assert isinstance(on_store(operation, world.store), tuple)


def on_ci(operation: str, http: Http, world: MemoryWorld | SocketWorld, job: str) -> object:
    """Ask one thing of CI, or send a message."""
    if operation == "send":
        (channel,) = channels([world.phone.url])
        message, transports = Message("m", "a title", ()), Transports(http)
        return send(channel, message, transports, world.now).status == "delivered"
    at = ("127.0.0.1", world.ci.port) if isinstance(world, SocketWorld) else None
    ci = Ci(
        http,
        Credentials(SECRET_ID, SECRET_KEY, ""),
        CiAddress(BUCKET, REGION, at),
        lambda seconds: None,
    )
    family, until_now = FAMILIES["ai"], Window(0, int(world.now) + 1)
    asked: dict[str, Callable[[], Any]] = {
        "describe": lambda: ci.describe(family, job),
        "list_jobs": lambda: [*ci.list_jobs(family, "Translation", 0)],
        "list_page": lambda: ci.list_page(family, "Translation", until_now, None),
        "create": lambda: ci.create(family, TRANSLATION).verdict,
        "trigger_workflow": lambda: ci.trigger_workflow("w1", "a.pdf").verdict,
    }
    return response(asked[operation])


@every_way
@pytest.mark.parametrize("operation", CI + CHANNEL)
def test_ci_and_the_channel_in_memory_fail_as_over_sockets(
    operation: str, way: Way, faces: Faces
) -> None:
    """The same verdict or error, and the same at CI and on the phone afterwards."""
    outcomes = []
    for world in (MemoryWorld(), SocketWorld(faces)):
        job = world.submit()
        came = on_ci(operation, world.wrong_http(way), world, job)
        states = [job_state.state for job_state in world.ci.jobs.values()]
        outcomes.append((came, states, len(world.phone.texts)))
    assert outcomes[0] == outcomes[1]
    assert ((operation, way) in BELIEVED) == (outcomes[0][0] is True)
    if operation in ("create", "trigger_workflow", "send"):
        assert (outcomes[0][1:] != (["Submitted"], 0)) == (way in CARRIED_OUT)
