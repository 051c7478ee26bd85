"""The console at /_/: its pages, its buttons, and who may use them."""

from __future__ import annotations

import io
import itertools
import json
import re
import sqlite3
from html.parser import HTMLParser
from pathlib import Path
from types import CodeType
from typing import Any
from urllib.parse import unquote

import pytest
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket

from ci_callback.console import body
from ci_callback.console.app import create_console
from ci_callback.console.context import Keeping
from ci_callback.console.follow import TicketName
from ci_callback.console.record_cache import MAX_CACHED, RecordCache, is_record_key
from ci_callback.console.times import clock, utc
from ci_callback.devserver.history import History, Invocation, Write
from ci_callback.devserver.local_function import LocalFunction
from ci_callback.devserver.samples import Asked, make
from ci_callback.record_index.search import Lookup
from handler.alerts.digest import Message
from handler.alerts.stored import Digest
from handler.callback.lineage import Lineage
from handler.errors import StoreError
from handler.ledger.attempts import Attempt, Attempts
from handler.ledger.dead_letters import DeadLetter
from handler.ledger.outbox import Outbox, Ticket
from handler.ledger.records import Ledger
from tests.alert_services import AlertService
from tests.conftest import PAYLOADS
from tests.fake_cos import FakeCos
from tests.records import keep, record

PORT = 9000
PATIENCE_S = 60
"""A page here waits until all is read."""

GOOD = (PAYLOADS / "Translation.seed.json").read_bytes()


class Plans:
    """In place of the stand-in for CI: remembers what was planned."""

    def __init__(self) -> None:
        self.made: list[tuple[str, int, str]] = []

    def plan_retries(self, root_job_id: str, failures: int, form: str) -> None:
        self.made.append((root_job_id, failures, form))


class Compiled(BytecodeCache):
    """Templates that an application of this process has compiled: each one would do so anew."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], CodeType | None] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self._known.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._known[bucket.key, bucket.checksum] = bucket.code


COMPILED = Compiled()


class Console:
    """A console and its function, without a socket. Use `get` and `post` as a browser would."""

    def __init__(
        self,
        env: dict[str, str],
        plans: Plans | None = None,
        keeping: Keeping = Keeping(None, PATIENCE_S, 0),  # noqa: B008  (it is frozen)
    ) -> None:
        self.function = LocalFunction(env, History(), io.StringIO())
        self.app = create_console(self.function, PORT, plans, 60, keeping)
        self.app.jinja_env.bytecode_cache = COMPILED
        self.client = self.app.test_client()
        self.base = f"http://127.0.0.1:{PORT}/_"
        self._numbers = itertools.count()

    def ask(
        self, method: str, path: str, headers: dict[str, str] | None = None, **kwargs: Any
    ) -> Any:
        """The raw response."""
        return self.client.open(path, method=method, base_url=self.base, headers=headers, **kwargs)

    def get(self, path: str = "/", lang: str = "en") -> str:
        """A page, which must be there."""
        response = self.ask("GET", path, {"Accept-Language": lang})
        assert response.status_code == 200, response.text
        return str(response.text)

    def post(self, path: str, **form: str) -> str:
        """Press a button; the page that it leads to."""
        response = self.ask("POST", path, data={"csrf": self.token(), **form})
        assert response.status_code == 303, response.text
        return self.get(response.headers["Location"].removeprefix("/_"))

    def token(self) -> str:
        """The one in the forms."""
        match = re.search(r'name="csrf" value="([^"]+)"', self.get("/send"))
        assert match
        return match[1]

    def send(self, name: str = "Translation", hex_id: str = "", **asked: str) -> str:
        """A sample by the function's own way, not the console's; its JobId.

        The ids are numbered: the jitter of a retry is a hash of the id, and for one id in
        sixty the retry is due at once."""
        made = make(Asked(name, **asked), hex_id or f"{next(self._numbers):032x}")
        self.function.send(made.body, "http")
        return made.job_id


def text_of(page: str) -> str:
    """What a person reads of a page's main part."""
    main = page[page.index("<main") : page.index("</main>")]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", main))


def sentences(page: str) -> list[str]:
    """The sentences of the time line, in their order."""
    spans = re.findall(r'<span class="what">\s*<span>(.*?)</span>', page, re.DOTALL)
    return [re.sub(r"\s+", " ", span).strip() for span in spans]


# --- the list ---


def test_a_named_ledger_has_its_name_and_colour_on_every_page(
    env: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the file has them; without a name there is the address alone."""
    monkeypatch.chdir(tmp_path)
    assert f"<code>{env['LEDGER_URL']}</code>" in Console(env).get()
    (tmp_path / "ci-callback.ini").write_text("[staging]\nurl = file:./ledger\ncolour = green\n")
    page = Console(env).get()
    assert f'<code class="ledger green">staging ({env["LEDGER_URL"]})</code>' in page


def test_an_empty_ledger_says_what_to_do(console: Console) -> None:
    """With the address to POST to."""
    assert "http://127.0.0.1:9000/" in text_of(console.get())


def test_a_delivery_stands_in_the_list(console: Console) -> None:
    """With tag, outcome, job and answer, newest first."""
    first, second = console.send(), console.send("Transcode", state="Success")
    page = text_of(console.get())
    assert page.index(second) < page.index(first)
    for part in ("Translation", "failed", "InternalError", "200", "retry due"):
        assert part in page


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("tag=Transcode", {"b"}),
        ("outcome=failed", {"a"}),
        ("outcome=dead_letter", {"c"}),
        ("text=INTERNALerror", {"a"}),
        ("text=hello", {"c"}),
        ("text=in%20no%20way", set()),
        ("tag=Translation&outcome=succeeded", set()),
    ],
)
def test_the_list_is_filtered(console: Console, query: str, expected: set[str]) -> None:
    """By tag, outcome and text, of bodies too."""
    console.send(user_data="marks-a")
    console.send("Transcode", state="Success", user_data="marks-b")
    console.function.send(b"hello, this is no callback", "http")
    rows = re.findall(r'<tr id="(d\d+)"', console.get(f"/?{query}"))
    assert {"d1": "a", "d2": "b", "d3": "c"}.keys() >= set(rows)
    assert {{"d1": "a", "d2": "b", "d3": "c"}[row] for row in rows} == expected


def test_what_was_kept_before_the_start_is_there(env: dict[str, str]) -> None:
    """Out of the ledger, runs and reviews too; once, though it is in the history."""
    before = Console(env)
    jobs = [
        before.send(),
        before.send("WorkflowFinish"),
        before.send("ReviewImage", state="Success"),
    ]
    after = Console(env)
    page = after.get()
    assert all(job in page for job in jobs)
    assert page.count('class="earlier"') == 3
    assert before.get().count('class="earlier"') == 0
    [key] = re.findall(r'href="/_/job\?key=([^"]+Translation|[^"]+)"', page)[:1]
    assert "came before this server started" in after.get(f"/job?key={key}")


def listed(page: str) -> list[str]:
    """The job ids of the rows of a list, in their order."""
    return re.findall(r'<a class="main-link" href="[^"]*">([^<]*)</a>', page)


def test_a_list_has_pages_that_hold_every_row_once(
    env: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Deliveries of now and records of before in one order, and the count of all."""
    monkeypatch.setattr("ci_callback.console.paging.PAGE_ROWS", 2)
    before = Console(env)
    sent = [before.send(state="Success") for _ in range(3)]
    console = Console(env)
    sent += [console.send("Transcode", hex_id=f"f{number:031x}") for number in range(2)]
    assert "1–2 of 5" in text_of(console.get())
    pages = [listed(console.get(f"/?page={number}")) for number in (1, 2, 3)]
    assert [len(page) for page in pages] == [2, 2, 1]
    assert sorted(job for page in pages for job in page) == sorted(sent)
    assert pages[0] == sent[:2:-1]
    assert listed(console.get("/?page=99")) == pages[2]
    assert 'href="/_/?sort=oldest&amp;page=2"' in console.get("/?sort=oldest")


def test_no_record_of_a_ledger_is_hidden(env: dict[str, str]) -> None:
    """However many there are: the newest are those whose callbacks came last, and the oldest is
    found by each of its texts."""
    store = Console(env).function.store
    days = [f"2026-{month:02d}-{day:02d}" for month in (8, 9) for day in range(1, 21)]
    for number, day in enumerate(days):
        keep(store, *(record(f"j{999 - number}x{part}", day) for part in range(10)))
    oldest = record(
        "jzoldest",
        "2026-01-02",
        code="SlowDown",
        message="wait a little",
        user_data="Order-7",
        input={"bucket": "b", "region": "r", "object": "in/Größe.mp4", "url": None, "headers": {}},
    )
    keep(store, oldest)
    console = Console(env)
    assert "1–50 of 401" in text_of(console.get())
    assert listed(console.get())[0].startswith("j960x")
    for text in ("jzoldest", "slowdown", "a little wait", "order-7", "GRÖSSE.mp4"):
        assert listed(console.get(f"/?text={text}")) == ["jzoldest"], text
    assert listed(console.get("/?sort=oldest"))[0] == "jzoldest"
    assert listed(console.get("/?code=SlowDown&since=2026-01-01&until=2026-01-03")) == ["jzoldest"]
    assert listed(console.get("/?until=2026-01-02&by=created")) == ["jzoldest"]
    assert "none_found" not in console.get("/?since=yesterday")


def test_a_ledger_on_cos_is_listed_to_its_beginning(cos: FakeCos) -> None:
    """As one in a folder."""
    console = Console(dict(cos.env))
    console.send(state="Success")
    console.function.send(GOOD, "http")  # of 2022
    page = Console(dict(cos.env)).get()
    assert page.count('class="earlier"') == 2
    assert "Real CI" in page
    assert "cos://" in page


@pytest.mark.parametrize(
    ("browser", "shown"),
    [
        ("Asia/Kolkata", "2026-09-20 13:31:06"),
        ("", "2026-09-20 08:01:06"),
        ("Nowhere/There", "2026-09-20 08:01:06"),
        ("../../etc/passwd", "2026-09-20 08:01:06"),
        ("/etc/passwd", "2026-09-20 08:01:06"),
        ("Asia", "2026-09-20 08:01:06"),
        ("a\u0000b", "2026-09-20 08:01:06"),
    ],
)
def test_local_times_are_those_of_the_browser(browser: str, shown: str, console: Console) -> None:
    """Its script says in a cookie which they are; without one, and with nonsense, they are UTC."""
    keep(console.function.store, record("j1", "2026-09-20"))
    console.client.set_cookie("console_browser_zone", browser, domain="127.0.0.1")
    assert shown in text_of(console.get("/?zone=local"))


def test_what_can_not_be_read_is_listed_too(console: Console) -> None:
    """With what is wrong with it."""
    console.function.store.put("jobs/dt=2026-11-21/odd.json", b"{}")
    assert "It can&#39;t be read: not a job-record/1" in console.get()
    assert listed(console.get("/?outcome=unreadable")) == ["odd"]
    assert "can&#39;t be read" in console.get("/job?key=jobs/dt=2026-11-21/odd.json")


def test_times_are_shown_in_the_zone_that_was_chosen(console: Console) -> None:
    """It is said beside them, and stays chosen."""
    keep(console.function.store, record("j1", "2026-09-20"))
    assert "2026-09-20 16:01:06" in text_of(console.get("/?zone=ci"))
    assert "Received UTC+08:00" in text_of(console.get())
    page = text_of(console.get("/?zone=utc"))
    assert "Received UTC" in page
    assert "2026-09-20 08:01:06" in page
    assert listed(console.get("/?since=2026-09-21&zone=ci")) == []


# --- one delivery ---


def test_a_delivery_shows_request_answer_record_and_log(console: Console) -> None:
    """All four, and what was written."""
    job = console.send()
    page = text_of(console.get("/deliveries/1"))
    for part in (
        job,
        "POST /",
        "&lt;JobId&gt;",
        "&#34;status&#34;: &#34;kept&#34;",
        "job-record/1",
    ):
        assert part in page
    assert f"jobs/dt={utc(console.function.clock())[:10]}/{job}.json" in page
    assert "_outbox/" in page


def test_what_comes_from_outside_is_text(console: Console) -> None:
    """On every page that shows it."""
    odd = "<script>alert(1)</script>"
    console.send(user_data=odd.replace("<", "&lt;"), message=odd, code=odd)
    console.function.send(json.dumps({"JobsDetail": {"JobId": odd, "Tag": odd}}).encode(), "http")
    console.function.send(odd.encode(), "http")
    [dead_letter] = re.findall(r"/_/dead/([0-9a-f]{64})", console.get("/dead"))
    pages = ["/", "/deliveries/1", "/deliveries/2", "/deliveries/3", "/outbox", "/dead"]
    for path in (*pages, f"/dead/{dead_letter}", f"/?text={odd}&tag={odd}"):
        page = console.get(path)
        assert odd not in page
        assert "alert(1)" in page or path == "/dead"


def test_secrets_are_not_shown(env: dict[str, str]) -> None:
    """Tokens, and what a record would not keep either."""
    console = Console({**env, "CALLBACK_TOKENS": "door-token-1"})
    made = make(Asked("DocProcess", "Success", form="json"))
    tree = json.loads(made.body)
    tree["JobsDetail"][0]["Operation"]["DocProcess"]["DocPassword"] = 'open "sesame"'
    tree["JobsDetail"][0]["Operation"]["UserData"] = "door-token-1"
    console.function.send(json.dumps(tree).encode(), "http")
    page = console.get("/deliveries/1")
    assert "sesame" not in page
    assert "door-token-1" not in page
    assert "[redacted]" in page


def test_a_redelivery_is_a_duplicate(console: Console) -> None:
    """And says of what it is one."""
    console.send(state="Success")
    page = text_of(console.post("/deliveries/1/again"))
    assert "Delivered again: 200" in page
    assert "Redelivery of delivery 1" in page
    assert "Delivered again: a duplicate" in page


def test_a_record_of_before_can_be_sent_again(env: dict[str, str]) -> None:
    """Though its request is gone."""
    Console(env).send("ReviewImage", state="Success")
    console = Console(env)
    [key] = re.findall(r'href="/_/job\?key=([^"]+)"', console.get())
    key = unquote(key)
    assert "duplicate" in text_of(console.post("/job/again", key=key))


@pytest.mark.parametrize("path", ["/deliveries/9/again", "/job/again"])
def test_what_is_gone_can_not_be_sent_again(console: Console, path: str) -> None:
    """The history is bounded, and a key may be of nothing."""
    data = {"csrf": console.token(), "key": "jobs/dt=2026-11-21/none.json"}
    assert console.ask("POST", path, data=data).status_code == 404


def test_a_conflict_leads_to_its_dead_letter(console: Console) -> None:
    """And to the end that is kept."""
    console.function.send(GOOD, "http")
    console.function.send(GOOD.replace(b'"Success"', b'"Failed"'), "http")
    page = console.get("/deliveries/2")
    assert re.search(r'href="/_/dead/[0-9a-f]{64}"', page)
    assert "Callback received: dead letter" in sentences(page)
    assert "Two different results of one job" in text_of(page)


def test_several_jobs_have_a_story_each(console: Console) -> None:
    """One callback, two time lines."""
    console.function.send((PAYLOADS / "made" / "TwoOperations.json").read_bytes(), "http")
    assert console.get("/deliveries/1").count('class="timeline"') == 2


@pytest.mark.parametrize(
    "path",
    [
        "/deliveries/9",
        "/sweeps/9",
        "/job?key=jobs/../x",
        "/job",
        "/dead/00ff",
        "/charts?days=5",
        "/x",
    ],
)
def test_what_is_not_there_is_said(console: Console, path: str) -> None:
    """As a page."""
    response = console.ask("GET", path)
    assert response.status_code == 404
    assert "Page not found" in response.text


def test_a_store_that_is_away_is_said(console: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    """With what it said itself."""

    def away(*_: object) -> None:
        raise StoreError("list", "jobs/", "no answer")

    monkeypatch.setattr(RecordCache, "tickets", away)
    response = console.ask("GET", "/")
    assert response.status_code == 503
    assert "no answer" in response.text


def test_an_index_that_can_not_be_used_is_said(
    console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such as one on a disk that is full; nothing is thrown away."""

    def full(*_: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(Lookup, "counts", full)
    response = console.ask("GET", "/")
    assert response.status_code == 503
    assert "database or disk is full" in response.text


# --- time lines ---


def test_the_story_of_a_failure_until_its_alert_is_sent(env: dict[str, str]) -> None:
    """Each step with who did it: callbacks, sweeps, CI's answers, and who heard of it."""
    with AlertService("webhook") as phone:
        console = Console({**env, "ALERT_URLS": phone.url})
        root = console.send()
        assert sentences(console.get("/deliveries/1")) == [
            "The job was created",
            "It ended: Failed",
            "Callback received and kept",
            "A retry is due",
        ]
        attempts = Attempts(console.function.store)
        lineage = Lineage(root, 2)
        attempts.put(lineage, Attempt("submitting", console.function.clock(), "w"))
        assert "Attempt 2 was claimed; CI&#39;s answer is not known" in sentences(
            console.get("/deliveries/1")
        )
        marker = f"/ci-retry:{root}:2:00c0ffee00c0ffee"
        again = make(Asked("Translation", "Success", user_data=marker))
        attempts.note_lineage(again.job_id, lineage)
        since = console.function.clock()
        attempts.put(
            lineage,
            Attempt("submitted", since, "w", job_id=again.job_id, created_at=utc(since)),
        )
        assert f"Attempt 2 is running: {again.job_id}" in sentences(console.get("/deliveries/1"))
        console.function.send(again.body, "http")
        page = console.get("/deliveries/1")
        assert "Attempt 2 ended: Success" in sentences(page)
        assert "The next sweep sends an alert: Recovered by a retry" in sentences(page)
        console.post("/sweeps")
        page = console.get("/deliveries/2")
        assert "Alert sent: Recovered by a retry" in sentences(page)
        assert "webhook" in text_of(page)
        assert "recovered" in text_of(console.get())
    later = sentences(Console(env).get(f"/job?key={key_of(console, again.job_id)}"))
    assert "Alert sent: Recovered by a retry" in later
    assert "It ended: Failed" in later


def tones(page: str) -> dict[str, str]:
    """The tone of each sentence of the time line."""
    tone_names = re.findall(r'<li class="(\w+)">\s*<span class="when">', page)
    return dict(zip(sentences(page), tone_names, strict=True))


@pytest.mark.parametrize(
    ("lang", "ended", "again"),
    [
        ("en", "It ended: Success, in part", "Attempt 2 ended: Success, in part"),
        ("zh", "任务结束：Success（部分成功）", "第 2 次尝试结束：Success（部分成功）"),
    ],
)
def test_a_success_in_part_looks_like_neither(
    console: Console, lang: str, ended: str, again: str
) -> None:
    """It says so where CI says Success, and has the tone of what is to be looked at."""
    console.function.send(make(Asked("VideoMontage", "Partial")).body, "sample")
    assert tones(console.get("/deliveries/1", lang))[ended] == "odd"
    root = console.send()
    marker = f"/ci-retry:{root}:2:00c0ffee00c0ffee"
    retried = make(Asked("VideoMontage", "Partial", user_data=marker))
    Attempts(console.function.store).note_lineage(retried.job_id, Lineage(root, 2))
    console.function.send(retried.body, "http")
    assert tones(console.get("/deliveries/3", lang))[again] == "odd"


def test_a_proof_that_came_after_the_record_is_followed(console: Console) -> None:
    """By the list and by both pages, though the pages have shown the record before."""
    root = console.send()
    again = make(Asked("Translation", "Success", user_data=f"/ci-retry:{root}:2:00c0ffee00c0ffee"))
    console.function.send(again.body, "http")
    assert "recovered" not in text_of(console.get())
    assert "It ended: Success" in sentences(console.get("/deliveries/2"))
    Attempts(console.function.store).note_lineage(again.job_id, Lineage(root, 2))
    assert "recovered" in text_of(console.get())
    for page in (f"/job?key={key_of(console, again.job_id)}", "/deliveries/2"):
        assert sentences(console.get(page))[:2] == ["The job was created", "It ended: Failed"]
        assert "Attempt 2 ended: Success" in sentences(console.get(page))


def test_of_two_records_of_a_job_the_one_under_its_day_is_shown(console: Console) -> None:
    """Whichever of them is asked for, and as the root of a re-submission."""
    undated = record("j1", created_at=None, started_at=None, ended_at=None)
    page = f"/job?key={keep(console.function.store, undated)[0]}"
    assert "2026-09-20T08:00:05Z" not in console.get(page)
    assert "1970-01-01" in console.get(page)
    keep(console.function.store, record("j1"))
    assert "2026-09-20T08:00:05Z" in console.get(page)
    entry = RecordCache(console.function).find("j1", "2026-09-21T08:00:00Z")
    assert entry is not None
    assert entry.key == "jobs/dt=2026-09-20/j1.json"


def key_of(console: Console, job_id: str) -> str:
    """Where a job's record is."""
    return next(key for key in console.function.store.list("jobs/") if job_id in key)


@pytest.mark.parametrize(
    ("attempt", "expected", "word"),
    [
        (
            Attempt("refused", 1.0, "w", code="AccessDenied"),
            "CI refused attempt 2",
            "refused by CI",
        ),
        (Attempt("not_taken", 1.0, "w"), "CI did not take attempt 2; it is tried again later", ""),
        (Attempt("submitting", 1.0, "w"), "Attempt 2 was claimed", "being submitted"),
        (Attempt("submitted", 1.0, "w", job_id="j2"), "attempt 2, j2", "submitted again"),
    ],
)
def test_how_an_attempt_stands(
    console: Console, attempt: Attempt, expected: str, word: str
) -> None:
    """In the time line, and in a word in the list."""
    root = console.send()
    Attempts(console.function.store).put(Lineage(root, 2), attempt)
    [ticket] = console.function.store.list("_outbox/")
    console.function.store.delete(ticket)
    assert any(expected in sentence for sentence in sentences(console.get("/deliveries/1")))
    assert word in text_of(console.get())


def test_an_attempt_that_can_not_be_read_says_nothing(console: Console) -> None:
    """In the list."""
    root = console.send()
    [ticket] = console.function.store.list("_outbox/")
    console.function.store.delete(ticket)
    console.function.store.put(f"_attempts/{root}/02.json", b"{}")
    assert root in console.get()


def test_a_failure_that_only_raises_an_alert(console: Console) -> None:
    """First it waits for a sweep, then it is sent, if only to the log."""
    console.send(code="InvalidArgument")
    assert "alert due" in text_of(console.get())
    assert "The sweep is done: 1 due, 0 submitted again, alerts sent: 1" in text_of(
        console.post("/sweeps")
    )
    assert "alert sent" in text_of(console.get())
    assert "The alert is in the log only; no channel received it: Failed" in sentences(
        console.get("/deliveries/1")
    )


def test_a_failure_that_is_given_up(env: dict[str, str]) -> None:
    """After the last attempt."""
    console = Console({**env, "RETRY_MAX_ATTEMPTS": "1"})
    console.send()
    assert "gave up" in text_of(console.get())


def test_a_ticket_that_is_deferred(console: Console) -> None:
    """CI can't be asked here: that is in the time line, with the sweep that tried."""
    console.send()
    page = text_of(console.post("/sweeps", ticket="all", to="/_/outbox"))
    assert "Outbox" in page
    assert "Deferred" in sentences(console.get("/deliveries/1"))
    assert "set CI_BUCKET" in text_of(console.get("/deliveries/1"))


def test_a_job_that_is_not_tried_again(env: dict[str, str]) -> None:
    """Why stands in the log of the sweep that decided it."""
    console = Console(env)
    job = console.send()
    line = {
        "event": "ticket",
        "job_id": job,
        "status": "alerted",
        "alert": "mismatch",
        "reason": "other Code",
    }
    other = {**line, "job_id": "another"}
    write = Write(1.0, "put", f"_outbox/0000000000-{job}-failed-alert.mismatch.json")
    console.function.history.add(
        Invocation(
            "timer", console.function.clock(), 1, "", "sweep", None, None, (line, other), (write,)
        )
    )
    assert any(
        "The callback differs from CI" in sentence
        for sentence in sentences(console.get("/deliveries/1"))
    )


def test_a_callback_in_doubt(env: dict[str, str]) -> None:
    """With VERIFY_CALLBACKS=always: it is asked about again."""
    console = Console(env)
    job = console.send(state="Success")
    ticket = Ticket("verify", job, "succeeded", int(console.function.clock()) + 9000)
    Outbox(Ledger(console.function.store)).put(ticket)
    assert "CI is asked about it again" in sentences(console.get("/deliveries/1"))
    assert "in 2 h" in text_of(console.get("/outbox"))
    assert "verify" in text_of(console.get("/outbox"))


def test_a_job_that_a_sweep_took_in(console: Console) -> None:
    """Its callback never came."""
    keep(console.function.store, record("jlost", source={**record("x").source, "trigger": "timer"}))
    source = {**record("jlost").source, "trigger": "timer"}
    keep(console.function.store, record("jlost", source=source))
    page = console.get(f"/job?key={key_of(console, 'jlost')}")
    assert "No callback came; a sweep asked CI and kept the answer" in sentences(page)


# --- sweeps, outbox, dead letters, charts ---


def test_a_sweep_that_finds_nothing(console: Console) -> None:
    """Is told once, and not listed."""
    assert "found nothing to do" in text_of(console.post("/sweeps"))
    page = text_of(console.get("/sweeps"))
    assert "No sweep has had anything to do yet" in page
    assert "a sweep found nothing to do" in page


def test_a_message_is_left_for_whoever_reads_it(console: Console) -> None:
    """A page that brings itself up to date in the background does not."""
    console.ask("POST", "/sweeps", data={"csrf": console.token()})
    assert "found nothing" not in console.ask("GET", "/", {"X-Live": "1"}).text
    assert "found nothing" in text_of(console.get())
    assert "found nothing" not in text_of(console.get())


def test_sweeps_are_listed_with_what_they_did(console: Console) -> None:
    """And each has a page with its log and its writes."""
    console.send(code="InvalidArgument")
    console.post("/sweeps")
    assert "1 due, 0 done, 0 submitted again, 0 failed, alerts sent: 1" in text_of(
        console.get("/sweeps")
    )
    page = text_of(console.get("/sweeps/2"))
    assert "_undelivered/" in page
    assert "alert_undelivered" in page
    assert console.ask("GET", "/deliveries/2").status_code == 404


def test_a_sweep_that_withdraws_says_so(console: Console) -> None:
    """Another one holds the lease."""
    console.send()
    console.function.store.put(f"_sweep/{int(console.function.clock()):010d}-other", b"{}")
    assert "Another sweep holds the lease" in text_of(console.post("/sweeps", ticket="all"))


def test_a_sweep_that_was_aborted_says_so(
    console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its log says why."""
    monkeypatch.setattr("handler.retries.sweep.Sweep._run", lambda _: 1 / 0)
    assert "aborted" in text_of(console.post("/sweeps"))
    assert "aborted errors in its log: 2 (internal_error, sweep)" in text_of(console.get("/sweeps"))


def test_one_retry_alone_is_made_due(console: Console) -> None:
    """The other one waits on."""
    console.send(), console.send()
    names = [key.rpartition("/")[2] for key in console.function.store.list("_outbox/")]
    console.post("/sweeps", ticket=names[1], to="https://example.org/")
    assert [invocation.task for invocation in console.function.history.tasks()] == [
        "sweep",
        "run_now",
    ]
    assert names[0] in {key.rpartition("/")[2] for key in console.function.store.list("_outbox/")}


def test_the_outbox(console: Console) -> None:
    """Retries with their time, alerts, and what is no ticket."""
    console.send()
    console.send(code="InvalidArgument")
    outbox = Outbox(Ledger(console.function.store))
    for due in (1_000, 10_000):
        outbox.put(Ticket("odd.action", "j1", "s", int(console.function.clock()) + due))
    console.function.store.put("_outbox/odd", b"{}")
    page = text_of(console.get("/outbox"))
    for part in (
        "retry",
        "alert: Failed",
        "at the next sweep",
        "in 17 min",
        "in 3 h",
        "odd.action",
    ):
        assert part in page
    assert "Retry now" in page


def test_digests_that_nobody_took(console: Console) -> None:
    """And those that are on their way; one that can't be read is named."""
    digest = Digest(Message("1", "[Cloud Infinite] Failed: 1", ("line <b>",)), (), 1.0)
    console.function.store.put("_digests/1.json", digest.to_json())
    console.function.store.put("_undelivered/2.json", digest.to_json())
    console.function.store.put("_undelivered/3.json", b"{}")
    page = text_of(console.get("/outbox"))
    for part in ("on its way", "no channel accepted it", "line &lt;b&gt;", "_undelivered/3.json"):
        assert part in page


def test_a_dead_letter_is_read_and_replayed(console: Console) -> None:
    """One that is understood by now is kept."""
    dead_letter = DeadLetter(GOOD, "test", "why", {}, "http", "2026-11-21T08:00:00Z", "r1")
    name = (
        Ledger(console.function.store)
        .put_dead_letter(dead_letter)
        .rpartition("/")[2]
        .removesuffix(".json")
    )
    assert name[:16] in text_of(console.get("/dead"))
    assert "EventName" in console.get(f"/dead/{name}")
    page = text_of(console.post(f"/dead/{name}/replay"))
    assert "Replayed: ac34be3aa0bf411ed9ce39d7cc972e427 kept" in page
    assert "run again at" in page
    assert [invocation.task for invocation in console.function.history.tasks()] == ["replay"]
    assert "replay of a dead letter" in text_of(console.get("/sweeps"))


def test_a_dead_letter_that_is_not_understood_stays(console: Console) -> None:
    """And one that holds no body is shown without one."""
    console.function.send(b"hello", "http")
    [name] = re.findall(r"/_/dead/([0-9a-f]{64})", console.get("/dead"))
    assert "Not replayed: not_xml_or_json" in text_of(console.post(f"/dead/{name}/replay"))
    console.function.store.put("_dead/dt=2026-11-21/aa.json", b"{}")
    assert "unreadable" in text_of(console.get("/dead/aa"))


def test_a_replay_while_the_store_is_away(
    console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Is no fault of the dead letter."""

    def away(*_: object) -> None:
        raise StoreError("put", "jobs/", "no answer")

    token = console.token()
    monkeypatch.setattr(LocalFunction, "replay", away)
    assert console.ask("POST", "/dead/aa/replay", data={"csrf": token}).status_code == 503


def test_the_charts_of_the_report(console: Console) -> None:
    """Drawn without a style or a script of their own, so that the policy lets them be."""
    assert "no records to draw" in console.get("/charts")
    console.send()
    page = console.get("/charts?days=7")
    assert "<svg" in page[page.index("<main") :]
    assert console.ask("GET", "/charts.css").mimetype == "text/css"


# --- samples ---


def test_a_sample_is_sent_by_the_form(env: dict[str, str]) -> None:
    """And its retry is planned with the stand-in for CI."""
    plans = Plans()
    console = Console(env, plans)
    form = {"name": "Transcode", "state": "Failed", "code": "SlowDown", "form": "json"}
    page = text_of(console.post("/samples", **form, failures="1"))
    assert "The sample was sent: 200" in page
    assert "SlowDown" in page
    assert [plan[1:] for plan in plans.made] == [(1, "json")]
    assert "Local simulator of CI" in console.get()


def test_a_sample_that_can_not_be_made_is_explained(console: Console) -> None:
    """With the reason, on the form."""
    page = text_of(console.post("/samples", name="NoSuchTag", state="Failed"))
    assert "Not sent" in page
    assert console.function.history.version == 0


def test_a_sample_for_a_ledger_on_cos_must_be_meant(cos: FakeCos) -> None:
    """Others see what is written there."""
    console = Console(dict(cos.env))
    form = {"name": "Transcode", "state": "Success"}
    assert "required" in console.get("/send")
    assert "tick the box" in text_of(console.post("/samples", **form))
    assert "was sent" in text_of(console.post("/samples", **form, really="yes"))


# --- who may use it ---


def test_a_foreign_host_is_refused(console: Console) -> None:
    """A name of someone else's that points here."""
    response = console.client.get("/", base_url="http://rebound.example.org:9000/_")
    assert response.status_code == 403
    assert "only under its own loopback address" in response.text


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://example.org"},
        {"Origin": "https://127.0.0.1:9000"},
        {"Origin": "http://127.0.0.1:9001"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_a_form_of_another_site_is_refused(console: Console, headers: dict[str, str]) -> None:
    """Whatever it knows."""
    response = console.ask("POST", "/sweeps", headers, data={"csrf": console.token()})
    assert response.status_code == 403
    assert console.function.history.version == 0


@pytest.mark.parametrize("form", [{}, {"csrf": ""}, {"csrf": "guess"}, {"csrf": "ü"}])
def test_a_form_without_its_token_is_refused(console: Console, form: dict[str, str]) -> None:
    """As one that was open since before a restart."""
    assert console.ask("POST", "/sweeps", data=form).status_code == 403
    headers = {"Origin": f"http://localhost:{PORT}", "Sec-Fetch-Site": "same-origin"}
    ours = console.ask("POST", "/sweeps", headers, data={"csrf": console.token()})
    assert ours.status_code == 303


def test_a_form_is_small(console: Console) -> None:
    """More than any of them needs is not read."""
    response = console.ask("POST", "/sweeps", data={"csrf": "x" * 100_000})
    assert response.status_code == 413


def test_every_answer_is_confined(console: Console) -> None:
    """No script or style but our own, no frame, no cache: errors and files too."""
    for path in ("/", "/nothing", "/static/console.js", "/charts.css"):
        with console.ask("GET", path) as response:
            headers = response.headers
        policy = headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Cache-Control"] == "no-store"


def test_a_change_is_streamed(console: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    """A number for each, a comment in between, and an end when the server ends."""
    monkeypatch.setattr("ci_callback.console.pages.HEARTBEAT_S", 0.001)
    stream = iter(console.ask("GET", "/live").response)
    assert next(stream) == b"retry: 2000\ndata: 0\n\n"
    assert next(stream).startswith(b":")
    console.send()
    # The index may have told of a change of its own.
    news = re.compile(rb"data: [1-9]\n\n")
    assert news.fullmatch(next(stream))
    console.function.history.close()
    assert all(news.fullmatch(line) for line in stream), "the stream ends"


# --- languages, and who can't see or point ---

PATHS = ("/", "/send", "/sweeps", "/outbox", "/dead", "/charts", "/deliveries/1", "/nothing")


def test_the_language_is_the_readers(console: Console) -> None:
    """By the query, then by the cookie that it leaves, then by the browser."""
    assert 'lang="zh-CN"' in console.get(lang="zh-CN,zh;q=0.9")
    assert "回调记录" in console.get(lang="zh")
    assert '<html lang="en">' in console.get("/?lang=en", lang="zh")
    assert '<html lang="en">' in console.get(lang="zh")
    assert 'lang="zh-CN"' in console.get("/?lang=zh&text=a")
    assert "/_/?text=a&amp;lang=en" in console.get("/?text=a")
    assert '<html lang="zh-CN">' in console.get("/?lang=fr")


class Outline(HTMLParser):
    """What assistive technology needs of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.names: list[str] = []
        self.labels: set[str] = set()
        self.fields: list[str] = []
        self.tags: list[str] = []
        self.unnamed: list[str] = []
        self.inline: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.tags.append(tag)
        if given.get("id"):
            self.ids.append(given["id"] or "")
        if tag == "label":
            self.labels.add(given.get("for") or "")
        if tag in ("input", "select") and given.get("type") != "hidden":
            self.fields.append(given.get("id") or "")
        if tag == "nav" and not given.get("aria-label"):
            self.unnamed.append(tag)
        if tag in ("style", "iframe") or (tag == "script" and not given.get("src")):
            self.inline.append(tag)
        self.inline += [name for name in given if name == "style" or name.startswith("on")]


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_pages_are_built_for_everyone(console: Console, lang: str) -> None:
    """One heading, named landmarks, labelled fields, no id twice, nothing inline."""
    console.send()
    for path in PATHS:
        outline = Outline()
        outline.feed(console.ask("GET", path, {"Accept-Language": lang}).text)
        assert outline.tags.count("h1") == 1, path
        assert outline.tags.count("main") == 1, path
        assert len(outline.ids) == len(set(outline.ids)), path
        assert set(outline.fields) <= outline.labels, path
        assert (outline.unnamed, outline.inline) == ([], []), path


# --- small parts ---


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b'{"a":1}', '{\n  "a": 1\n}'),
        (b"<a><b>1</b></a>", "<a>\n  <b>1</b>\n</a>"),
        (b"neither", "neither"),
        (b"\xff", "\\xff"),
        (b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'),
    ],
)
def test_a_body_is_indented(raw: bytes, expected: str) -> None:
    """Where it is JSON or XML."""
    assert body.shown(raw) == expected


def test_a_long_body_is_cut() -> None:
    """And not indented."""
    shown = body.shown(b"[" + b"1," * body.MAX_CHARS + b"1]")
    assert len(shown) == body.MAX_CHARS + 2


def test_secrets_are_found_in_lists_and_below() -> None:
    """Wherever a record's details would not hold them."""
    tree = {
        "JobsDetail": [
            {"Operation": {"Segment": {"HlsEncrypt": {"UriKey": {"a": "one", "b": ["two", ""]}}}}},
            {"Operation": {"UserData": "three"}},
        ]
    }
    shown = body.shown(json.dumps(tree).encode())
    assert "one" not in shown
    assert "two" not in shown
    assert "three" in shown


@pytest.mark.parametrize(
    "raw",
    [
        b'{"DocPassword":"sesame"',
        b'{"a":"{\\"DocPassword\\":\\"sesame\\"}"}',
        b"<a><DocPassword>sesame</a>",
        b'<a DocPassword="sesame"/>',
        b"<a>&lt;DocPassword&gt;sesame&lt;/DocPassword&gt;</a>",
        b"DocPassword=sesame",
        b"[" + b'{"DocPassword":"sesame"},' * 4_000,
    ],
)
def test_secrets_of_any_body_are_found(raw: bytes) -> None:
    """Where it can't be parsed, in attributes, and in texts within texts."""
    shown = body.shown(raw)
    assert "sesame" not in shown
    assert "[redacted]" in shown


def test_names_of_tickets_are_read() -> None:
    """What is none gives empty texts."""
    read = TicketName.of("1790000000-j1~2D-failed-alert.gave-up.json")
    assert read == TicketName(1790000000, "j1~2D", "failed", "alert.gave-up")
    assert TicketName.of("odd") == TicketName(0, "", "", "")


@pytest.mark.parametrize("key", ["", "jobs/dt=2026-11-21/../x.json", "_outbox/x.json", "jobs/x"])
def test_only_keys_of_records_are_read(key: str) -> None:
    """Whatever stands in an address."""
    assert not is_record_key(key)


def test_the_record_cache_forgets(console: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it read longest ago; what it reads stays right."""
    assert MAX_CACHED > 1
    monkeypatch.setattr("ci_callback.console.record_cache.MAX_CACHED", 1)
    jobs = [console.send(state="Success") for _ in range(3)]
    records = RecordCache(console.function)
    keys = list(console.function.store.list("jobs/"))
    assert len(records.read(keys)) == 3
    assert len(records.read(keys)) == 3
    assert {records.find(job, utc(console.function.clock())) is not None for job in jobs} == {True}
    assert records.find("nobody", None) is None


def test_times_are_short_today() -> None:
    """And have their day otherwise."""
    assert re.fullmatch(r"\d\d:\d\d:\d\d", clock(__import__("time").time()))
    assert re.fullmatch(r"2022-07-2\d \d\d:\d\d:\d\d", clock(1658738139))
