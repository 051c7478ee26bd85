"""Any page of the console can be shown, whatever was delivered and whatever it was answered."""

from __future__ import annotations

import base64
import json
import unicodedata
from collections.abc import Iterable
from urllib.parse import quote, urlencode

import pytest

from ci_callback.console.body import MAX_CHARS
from ci_callback.dead_letters import dead_letters
from ci_callback.texts import LANGS
from tests.ci_callback.console.test_console import Console
from tests.ci_callback.test_hostile_ledger import hostile_record
from tests.records import keep
from tests.slow.fuzz import seeds
from tests.slow.hostile import envelope_cases, json_cases, name_cases, value_cases, xml_cases
from tests.slow.hostile.case import Bait, Case

NOWHERE = Bait("http://127.0.0.1:9", "/nowhere", "nothing")

PAGES = (
    *("/", "/?text=%00", "/?sort=longest&outcome=failed", "/sweeps", "/outbox", "/dead"),
    *("/charts", "/charts?numbers=1", "/send", "/events", "/retry"),
)

ODD = "\x9b31m \u202e \u2066 \u200b \u2028 \x85 \ue000 \U000e0041"

TOUGH: dict[str, bytes] = {
    "nested JSON": b"[" * 5000,
    "nested and closed": b"[" * 5000 + b"]" * 5000,
    "nested XML": b"<a>" * 5000 + b"</a>" * 5000,
    "a lone surrogate": b'"\\ud800"',
    "a lone surrogate in a job": json.dumps(
        {
            "JobsDetail": {
                "JobId": "j1",
                "Tag": "Translation",
                "State": "Failed",
                "Message": "\ud800",
            }
        }
    ).encode(),
    "characters that are not shown": json.dumps(
        {
            "EventName": ODD,
            "JobsDetail": {
                **dict.fromkeys(("Tag", "Code", "Message", "QueueId", "State", ODD), ODD),
                "JobId": "j1",
                "Input": {"Object": ODD, "Url": ODD, "CosHeaders": {"Key": ODD, "Value": ODD}},
                "Operation": {"UserData": ODD, "Output": {"Object": ODD}},
            },
        }
    ).encode(),
    "the same in XML": f"<Response><JobsDetail><JobId>j1{ODD}</JobId></JobsDetail>".encode(),
    "no text": bytes(range(256)),
    "UTF-16": "<a>é</a>".encode("utf-16"),
    "an entity": b'<!DOCTYPE a [<!ENTITY e "x">]><a>&e;</a>',
    "markup": b'{"a": "<script>alert(1)</script>{{ 7 * 7 }}"}',
    "a number that is none": b"NaN",
    "a prefix without its namespace": b"<x:a>1</x:a>",
}


def body_of(case: Case) -> bytes | None:
    """The body of a hostile case that is an HTTP event with a body of text."""
    event = case.made()
    text = event.get("body") if isinstance(event, dict) else None
    if not isinstance(text, str):
        return None
    try:
        return base64.b64decode(text) if event.get("isBase64Encoded") else text.encode()
    except ValueError:
        return None  # its base64, or its text, is the fault: no body is made of it


def hostile() -> list[bytes]:
    """The bodies of the hostile cases."""
    families = (envelope_cases, json_cases, name_cases, value_cases, xml_cases)
    bodies = (body_of(case) for family in families for case in family.cases(NOWHERE))
    return [body for body in bodies if body is not None and len(body) < 200_000]


def corpus() -> list[bytes]:
    """The bodies that fuzzing found worth keeping."""
    return [path.read_bytes() for path in seeds.corpus("body")]


def assert_shown(console: Console, path: str, lang: str = "en") -> None:
    """The page is there, and whatever is in it is seen: a character that is not shown could turn
    round, or hide, what is read behind it."""
    page = console.ask("GET", path, {"Accept-Language": lang})
    assert page.status_code == 200, path
    unseen = {char for char in set(page.text) if not char.isprintable()} - set("\n\t\u3000\xa0")
    assert not {char for char in unseen if unicodedata.category(char) != "Zs"}, path


def look_at_delivery(console: Console, number: int, body: bytes) -> None:
    """Open each page of a delivery and of its jobs."""
    parts = ("", "?raw=1", "/edit") if len(body) <= MAX_CHARS else ("", "?raw=1")
    for part in parts:
        assert_shown(console, f"/deliveries/{number}{part}")
    for part in ("body", "request"):
        assert console.ask("GET", f"/deliveries/{number}/{part}").status_code == 200
    for job in console.function.history.deliveries()[0].jobs:
        if job.key.startswith("jobs/"):
            key = quote(job.key)
            for page in ("/job?key=", "/job/edit?key=", f"/compare?second={key}&first="):
                assert_shown(console, page + key)


def look_at_every_page(console: Console, bodies: Iterable[bytes]) -> None:
    """Deliver each, and open each page that shows it."""
    for number, body in enumerate(bodies, 1):
        console.function.send(body, "http")
        look_at_delivery(console, number, body)
    look_at_lists(console)


def look_at_lists(console: Console) -> None:
    """Open each page that shows all that was delivered, and each dead letter."""
    for lang in LANGS:
        for path in PAGES:
            assert_shown(console, path, lang)
    for dead_letter in dead_letters(console.function.store):
        name = dead_letter.key.rpartition("/")[2].removesuffix(".json")
        assert_shown(console, f"/dead/{name}")


@pytest.mark.parametrize("body", TOUGH.values(), ids=TOUGH)
def test_a_tough_body_is_shown(console: Console, body: bytes) -> None:
    """On its own pages."""
    console.function.send(body, "http")
    look_at_delivery(console, 1, body)


def test_the_lists_show_every_tough_body(console: Console) -> None:
    """All at once: a list has a row for each, whatever the others are."""
    for body in TOUGH.values():
        console.function.send(body, "http")
    assert len(console.function.history.deliveries()) == len(TOUGH)
    look_at_lists(console)


def test_what_fuzzing_found_is_shown(console: Console) -> None:
    """Each body of the corpus."""
    look_at_every_page(console, corpus())


def test_a_sample_of_the_hostile_bodies_is_shown(console: Console) -> None:
    """One in sixty: the function answers each of them in tests/slow."""
    bodies = hostile()
    assert len(bodies) > 1000
    look_at_every_page(console, bodies[::60])


@pytest.mark.parametrize("outcome", ["succeeded", "failed"])
def test_a_record_of_hostile_texts_is_shown(console: Console, outcome: str) -> None:
    """On each page that a record of before the start is on."""
    kinds = ("job", "workflow", "review")
    stored = [keep(console.function.store, hostile_record(kind, outcome))[0] for kind in kinds]
    for key in map(quote, stored):
        for page in ("/job?key=", "/job/edit?key=", f"/compare?first={quote(stored[0])}&second="):
            assert_shown(console, page + key)
    for path in PAGES:
        assert_shown(console, path)
    assert "1–3 of 3" in console.get()


def test_the_list_is_shown_while_a_health_check_is_in_it(console: Console) -> None:
    """Its answer is a status that no callback has."""
    event = {
        "httpMethod": "GET",
        "path": "/health",
        "headers": {},
        "queryString": {},
        "body": "",
    }
    console.function.deliver(event, b"")
    assert 'class="chip o-plain">ok<' in console.get()


@pytest.mark.parametrize(
    "name", ["endpoint", "_method", "_anchor", "_external", "_scheme", "values"]
)
def test_a_parameter_that_the_framework_knows_changes_nothing(console: Console, name: str) -> None:
    """The link to the other language keeps it."""
    page = console.get(f"/?{urlencode({name: 'x'})}")
    assert f"{name}=x" in page
