"""The lists of the console: each says how much there is, and reads no more than it shows."""

from __future__ import annotations

import re
from html import unescape

import pytest

from ci_callback.console.context import Keeping
from ci_callback.console.times import utc
from handler.ledger.dead_letters import DeadLetter
from handler.ledger.outbox import Outbox, Ticket
from handler.ledger.records import Ledger
from tests.ci_callback.console.test_console import Console, text_of
from tests.records import keep, record

PAGE_ROWS = "ci_callback.console.paging.PAGE_ROWS"


def put(console: Console, *tickets: Ticket) -> None:
    """Into the outbox."""
    outbox = Outbox(Ledger(console.function.store))
    for ticket in tickets:
        outbox.put(ticket)


def test_watches_of_jobs_that_have_ended_are_nothing_to_do(console: Console) -> None:
    """They wait six hours for a comparison: they are counted, and shown when asked for."""
    keep(console.function.store, record("jended"))
    due = int(console.function.clock()) + 6 * 3600
    put(console, Ticket("watch", "jended", "failed", due), Ticket("watch", "jruns", "failed", due))
    page = text_of(console.get("/outbox"))
    assert "jruns" in page
    assert "jended" not in page
    assert "To do 1" in page
    assert "Watches of ended jobs 1" in page
    page = text_of(console.get("/outbox?kind=ended"))
    assert "jended" in page
    assert "nothing else is left to do" in page


def test_the_outbox_has_kinds_and_pages(console: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of which only what is shown is read."""
    monkeypatch.setattr(PAGE_ROWS, 2)
    put(console, *(Ticket("retry", f"j{number}", "failed", 2_000_000_000) for number in range(5)))
    put(console, Ticket("alert.failed", "ja", "failed"), Ticket("odd.thing", "jo", "failed"))
    page = console.get("/outbox?kind=retry&page=3")
    assert re.findall(r">(j\w)</a>", page) == ["j4"]
    assert "Page 3 of 3" in text_of(page)
    assert "Retries 5" in text_of(page)
    assert "Others 1" in text_of(page)
    assert re.findall(r">(j\w)</a>", console.get("/outbox?kind=nonsense")) == ["ja", "jo"]


def test_a_ticket_leads_to_its_job(console: Console) -> None:
    """By the job's id, which is the address to pass on."""
    [key] = keep(console.function.store, record("jended"))
    answer = console.ask("GET", "/job?id=jended")
    assert answer.status_code == 302
    assert answer.headers["Location"] == f"/_/job?key={key.replace('/', '/').replace('=', '%3D')}"
    assert console.ask("GET", "/job?id=nobody").status_code == 404


def test_dead_letters_have_pages(console: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    """The newest day first."""
    monkeypatch.setattr(PAGE_ROWS, 2)
    ledger = Ledger(console.function.store)
    for day in range(1, 6):
        at = f"2026-11-0{day}T08:00:00Z"
        ledger.put_dead_letter(DeadLetter(b"%d" % day, "test", "why", {}, "http", at, "r1"))
    pages = [text_of(console.get(f"/dead?page={number}")) for number in (1, 2, 3)]
    assert ["2026-11-05" in page for page in pages] == [True, False, False]
    assert ["2026-11-01" in page for page in pages] == [False, False, True]


def test_what_was_not_done_looks_so(console: Console) -> None:
    """Refusals have another tone than successes."""
    assert 'class="message bad"' in console.post("/samples", name="NoSuchTag", state="Failed")
    form = {"name": "Transcode", "state": "Success"}
    assert 'class="message good"' in console.post("/samples", **form)


def test_errors_of_a_log_are_named_beside_what_a_sweep_did(console: Console) -> None:
    """An alert that only the log has is an error there, and no ticket failed."""
    console.send(code="InvalidArgument")
    console.post("/sweeps")
    page = text_of(console.get("/sweeps"))
    assert "0 failed" in page
    assert "errors in its log: 1 (alert_undelivered)" in page
    assert "ERROR" not in page
    assert "aborted" not in page


def test_the_status_of_an_answer_stands_apart_from_what_followed(console: Console) -> None:
    """A chip of its own: not one word with the text before it."""
    root = console.send()
    console.post("/deliveries/1/again")
    page = console.get(f"/?text={root}")
    assert re.search(
        r'retry due <time[^>]*>[^<]*</time></span> <span class="chip[^"]*">duplicate<', page
    )


def test_long_messages_are_cut_in_lists_and_whole_on_their_page(console: Console) -> None:
    """At 400 characters, and in the picture at two lines."""
    message = "too long " * 100
    console.send(message=message)
    assert message.strip() not in text_of(console.get())
    assert message.strip() in text_of(console.get("/deliveries/1"))


def test_a_mark_of_a_chart_leads_to_its_records(console: Console) -> None:
    """Days by outcome, codes, tags, fates and single jobs: each link shows as many as it says."""
    today = utc(console.function.clock())[:10]
    console.send(code="SlowDown")
    console.send(code="InvalidArgument")
    done = console.send("Transcode", state="Success")
    page = console.get("/charts?days=7")
    links = [unescape(link) for link in re.findall(r'href="(/_/[?][^"]*)"', page)]
    expected = {
        ("outcome=failed", f"since={today}"): 2,
        ("outcome=succeeded", f"since={today}"): 1,
        ("code=SlowDown",): 1,
        ("tag=Transcode", "sort=longest"): 1,
        ("fate=waiting",): 1,
        ("fate=not_retried",): 1,
        ("fate=retried",): 0,
    }
    for parts, count in expected.items():
        [link, *_] = [one for one in links if all(part in one for part in parts)] or [""]
        assert bool(link) == bool(count), parts
        if link:
            assert f"of {count}" in text_of(console.get(link.removeprefix("/_"))), parts
    assert f'href="/_/job?id={done}"' in page


def test_a_legend_hides_an_outcome_and_a_period_is_chosen(console: Console) -> None:
    """By addresses that can be passed on."""
    console.send()
    console.send("Transcode", state="Success")
    page = console.get("/charts?since=2026-01-01&until=2027-12-31&hide=succeeded&numbers=1")
    assert "ch-key-off" in page
    assert "<details open" in page
    assert "2026-01-01 – 2027-12-31" in page
    assert "ch-tone-good" not in page[page.index("ch-column") : page.index("ch-key")]
    hidden = re.findall(r'class="ch-key(?: ch-key-off)?"><a href="([^"]*)"', page)
    assert sorted("hide=succeeded" in link for link in hidden) == [False, True]
    odd = console.get("/charts?since=2026-03-01&until=2026-01-01&hide=%3Cscript%3E")
    assert "2026-01-01 – 2026-01-01" in odd
    assert "script&gt;" not in odd[odd.index("<main") :]


def test_a_job_is_found_before_all_is_read(env: dict[str, str]) -> None:
    """Its address does not wait for the index."""
    console = Console(env, keeping=Keeping(None, 0, 0))
    keep(console.function.store, record("jearly"))
    index = console.app.extensions["console"].index.index
    index.close()
    assert console.ask("GET", "/job?id=jearly").status_code == 302
    assert "Reading the ledger: 0 records so far" in text_of(console.get())


def test_a_text_of_thousands_of_words_is_searched(console: Console) -> None:
    """Somebody pasted a log: nothing matches; the same word thousands of times is one."""
    keep(console.function.store, record("jended"))
    many = "+".join(map(str, range(9_000)))
    assert console.ask("GET", f"/?text={many}").status_code == 200
    assert "jended" in console.get(f"/?text={'+'.join(['jended'] * 5_000)}")
