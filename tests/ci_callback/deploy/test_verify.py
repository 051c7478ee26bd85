"""What `--verify` finds where something else than the function answers."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from ci_callback.ci_simulator.server import Reply, ResetError, Seen, Server
from ci_callback.deploy import show, verify
from ci_callback.doctor.findings import Finding
from handler.errors import StoreError
from handler.http_client import HttpClient
from handler.ledger import keys
from handler.ledger.folder import FolderStore

HEALTH = Reply(200, b'{"status": "ok"}')
JSON = (("Content-Type", "application/json"),)
ADDRESS = "https://1250000000-x.ap-guangzhou.tencentscf.com"


@contextmanager
def answering(answer: Callable[[Seen], Reply]) -> Iterator[verify.Place]:
    """A function that answers so."""
    server = Server(answer)
    try:
        through = f"http://127.0.0.1:{server.port}"
        yield verify.Place(ADDRESS, through, "token", "records-1250000000", "ap-guangzhou")
    finally:
        server.stop()


def findings(place: verify.Place, store: Any) -> dict[str, Finding]:
    """By name."""
    client = HttpClient()
    ticks = iter(range(10_000))
    tools = verify.Tools(client, store, lambda seconds: None, lambda: float(next(ticks) * 30))
    try:
        return {finding.name: finding for finding in verify.verify(place, tools)}
    finally:
        client.close()


def like_the_function(store: FolderStore, **instead: Reply) -> Callable[[Seen], Reply]:
    """Answers as the function does, and stores; instead: by what is asked."""

    def answer(seen: Seen) -> Reply:
        if seen.method == "GET":
            return instead.get("health", HEALTH)
        if "token" not in seen.params:
            return instead.get("refused", Reply(401, b"{}"))
        if "kept" in instead:
            return instead["kept"]
        job_id = seen.body.partition(b"<JobId>")[2].partition(b"</JobId>")[0].decode()
        key = f"{keys.UNFINISHED}{job_id}"
        store.put(key, json.dumps({"job_id": job_id}).encode())
        return Reply(200, json.dumps({"jobs": [{"job_id": job_id, "key": key}]}).encode(), JSON)

    return answer


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    """The ledger; no sweep runs, so a ticket stays until its time is over."""
    return FolderStore(tmp_path)


def test_what_it_wrote_is_removed_whatever_it_finds(store: FolderStore) -> None:
    """The host of the address is sent, and the ticket is taken back."""
    with answering(like_the_function(store)) as place:
        found = findings(place, store)
    assert {name: one.status for name, one in found.items()} == {
        "reached": "ok",
        "token": "ok",
        "callback": "ok",
        "timer": "fault",
    }
    assert list(store.list("")) == []


@pytest.mark.parametrize(
    ("instead", "name", "words"),
    [
        ({"health": Reply(502, b"")}, "reached", "it answers 502"),
        ({"health": Reply(200, b"hello")}, "reached", "not as this function does"),
        ({"refused": Reply(200, b"{}")}, "token", "answered 200, not 401"),
        ({"kept": Reply(500, b"{}")}, "callback", "answered 500 and not kept"),
        ({"kept": Reply(200, b"[")}, "callback", "answered 200 and not kept"),
        ({"kept": Reply(200, b'{"jobs": []}')}, "callback", "and not kept"),
        (
            {"kept": Reply(200, b'{"jobs": [{"job_id": "x", "key": "../secret"}]}')},
            "callback",
            "and not kept",
        ),
    ],
)
def test_another_answer_than_the_functions_is_a_fault(
    store: FolderStore, instead: dict[str, Reply], name: str, words: str
) -> None:
    """A key that the answer names is only read where the sample's own can be."""
    with answering(like_the_function(store, **instead)) as place:
        found = findings(place, store)
    assert (found[name].status, words in found[name].what) == ("fault", True)
    assert found[name].fix


def test_a_function_that_stops_answering_is_a_fault(store: FolderStore) -> None:
    """Reached once, and then not."""

    def answer(seen: Seen) -> Reply:
        if seen.method == "GET":
            return HEALTH
        raise ResetError

    with answering(answer) as place:
        found = findings(place, store)
    assert (found["reached"].status, found["answer"].status) == ("ok", "fault")


def test_no_answer_at_all_is_a_fault_after_a_minute(store: FolderStore) -> None:
    """A new URL is not known everywhere at once."""

    def answer(seen: Seen) -> Reply:
        raise ResetError

    with answering(answer) as place:
        found = findings(place, store)
    assert found.keys() == {"reached"}
    assert "no answer from" in found["reached"].what


def test_a_ledger_that_these_keys_do_not_open_is_a_fault(store: FolderStore) -> None:
    """The function's role may open it all the same."""

    class Closed(FolderStore):
        def get(self, key: str) -> bytes | None:
            raise StoreError("get", key, "COS refused it", 403, "AccessDenied")

    with answering(like_the_function(store)) as place:
        found = findings(place, Closed(Path("nowhere")))
    assert found["ledger"].status == "fault"
    assert "AccessDenied" in found["ledger"].what


def test_findings_are_chinese_for_a_chinese_reader(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What was found and how to mend it; its state and its name stay."""
    monkeypatch.setenv("CI_CALLBACK_LANG", "zh")
    wrong = "a callback without it is answered 404, not 401"
    show.show_findings(
        [
            Finding("timer", "ok", "a sweep removed a ticket after 5 s"),
            Finding("token", "fault", wrong, "is another function behind this address?"),
        ]
    )
    assert capsys.readouterr().out == (
        "  ok       timer: 巡检在 5 秒后删除了待办\n"
        "  fault    token: 不带 token 的回调应答为 404，而不是 401\n"
        "           解决：请检查该地址是否属于另一个函数\n"
    )
