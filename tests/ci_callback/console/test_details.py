"""What can be done with one delivery or job: copied, downloaded, edited, compared; and with many:
retried."""

from __future__ import annotations

import json
import re
from urllib.parse import quote

import pytest

from ci_callback.console.compare import MAX_FIELDS, Difference, differences
from ci_callback.devserver.history import Invocation, Write
from ci_callback.devserver.samples import Asked, make
from handler.callback.lineage import Lineage
from handler.ledger.attempts import Attempt, Attempts
from tests.ci_callback.console.test_console import Console, text_of
from tests.fake_cos import FakeCos
from tests.forwarding.receivers import ForwardWorld
from tests.records import keep, record


def test_a_body_is_shown_and_saved_as_it_came(env: dict[str, str]) -> None:
    """But for secrets, those of the settings too; no browser shows the file."""
    console = Console({**env, "CALLBACK_TOKENS": "door-token-1"})
    sent = b'{"a":1,"DocPassword":"sesame","b":"door-token-1"}'
    console.function.send(sent, "http")
    assert "{&#34;a&#34;:1," in console.get("/deliveries/1?raw=1")
    assert "{&#34;a&#34;:1," not in console.get("/deliveries/1")
    for path in ("body", "request"):
        answer = console.ask("GET", f"/deliveries/1/{path}")
        assert '{"a":1,"DocPassword":"[redacted]","b":"[redacted]"}' in answer.text
        assert answer.mimetype == "application/octet-stream"
        assert answer.headers["Content-Disposition"].startswith("attachment; filename=")
    whole = console.ask("GET", "/deliveries/1/request").text
    assert whole.startswith("POST /?token=[redacted] HTTP/1.1\n")
    assert "\n\n{" in whole
    assert console.ask("GET", "/deliveries/9/body").status_code == 404


def test_a_record_is_saved_as_it_is_stored(console: Console) -> None:
    """One line of JSON."""
    [key] = keep(console.function.store, record("j1"))
    assert json.loads(console.ask("GET", f"/job/record?key={quote(key)}").data)["job_id"] == "j1"
    assert console.ask("GET", "/job/record?key=_outbox/x").status_code == 404


def test_a_delivery_is_edited_and_sent(console: Console) -> None:
    """As a callback of its own; line breaks come as they stood."""
    console.send("Transcode", state="Success")
    form = console.get("/deliveries/1/edit")
    [shown] = re.findall(r"<textarea[^>]*>\n(.*?)</textarea>", form, re.DOTALL)
    assert "JobId" in shown
    edited = '{"JobsDetail":\r\n {"JobId": "jnew", "Tag": "Transcode", "State": "Success"}}'
    page = text_of(console.post("/edited", body=edited, number="1"))
    assert "Sent: 200" in page
    assert "jnew" in page
    assert "edited, Redelivery of delivery 1" in page
    sent = console.function.history.deliveries()[0].request
    assert sent is not None
    assert sent.body == edited.replace("\r\n", "\n").encode()
    assert "not_xml_or_json" in console.post("/edited", body="neither", number="99")


def test_a_record_of_before_is_edited_too(env: dict[str, str]) -> None:
    """With the body that is made of it."""
    console = Console(env)
    [key] = keep(console.function.store, record("j1"))
    assert "JobsDetail" in console.get(f"/job/edit?key={quote(key)}")


def test_a_large_body_can_be_edited_and_a_larger_one_not(console: Console) -> None:
    """A form of the console is small otherwise."""
    body = json.dumps(
        {"JobsDetail": {"JobId": "j1", "Tag": "Transcode", "UserData": "u" * 150_000}}
    )
    assert "Sent: 200" in text_of(console.post("/edited", body=body))
    console.function.send(b"x" * 300_000, "http")
    assert console.ask("GET", "/deliveries/2/edit").status_code == 413


def test_an_edited_callback_for_a_ledger_on_cos_must_be_meant(cos: FakeCos) -> None:
    """As a sample must."""
    console = Console(dict(cos.env))
    body = make(Asked("Transcode", "Success")).body.decode()
    assert "tick the box" in text_of(console.post("/edited", body=body))
    assert "Sent: 200" in text_of(console.post("/edited", body=body, really="yes"))


def test_two_attempts_are_compared(console: Console) -> None:
    """From the time line: what differs, and not what is the same."""
    root = console.send()
    again = make(Asked("Translation", "Success", user_data=f"/ci-retry:{root}:2:00c0ffee00c0ffee"))
    attempts = Attempts(console.function.store)
    attempts.note_lineage(again.job_id, Lineage(root, 2))
    since = console.function.clock()
    console.function.send(again.body, "http")
    stored = console.function.history.deliveries()[0].jobs[0]
    made = json.loads(console.function.store.get(stored.key) or b"{}")
    attempts.put(
        Lineage(root, 2),
        Attempt("submitted", since, "w", job_id=again.job_id, created_at=made["created_at"]),
    )
    page = console.get("/deliveries/1")
    [link] = re.findall(r'href="/_(/compare[^"]*)"', page)
    compared = text_of(console.get(link.replace("&amp;", "&")))
    for part in ("Attempt", "outcome", "failed", "succeeded", again.job_id, "InternalError"):
        assert part.lower() in compared.lower()
    assert "schema" not in compared
    assert console.ask("GET", "/compare?first=x&second=y").status_code == 404


def test_differences_are_told_by_their_place() -> None:
    """CI's own fields come last, and there is an end to them."""
    first = record("j1", outputs=[{"object": "a"}, {"object": "b"}], details={"X": "1"})
    second = record("j1", outputs=[{"object": "a"}], details={"X": "2"}, run_s=None)
    assert differences(first, second) == [
        Difference("run_s", "60.25", "null"),
        Difference("outputs.1.object", "b", None),
        Difference("details.X", "1", "2"),
    ]
    assert differences(first, first) == []
    many = record("j1", details={str(number): "x" for number in range(MAX_FIELDS + 1)})
    assert len(differences(first, many)) == MAX_FIELDS


def test_the_failures_that_a_filter_shows_are_retried(env: dict[str, str]) -> None:
    """Those for which a retry waits, after it was said how many there are."""
    console = Console({**env, "RETRY_BASE_S": "86400", "RETRY_CAP_S": "86400"})
    console.send("Transcode", user_data="mine"), console.send("Transcode")
    console.send("Transcode", code="InvalidArgument", user_data="mine")
    page = console.get("/?text=mine")
    [link] = re.findall(r'href="/_(/retry[^"]*)"', page)
    asked = text_of(console.get(link.replace("&amp;", "&")))
    assert "Failures that the filter shows: 2. Retries that wait for them: 1." in asked
    assert "Retries made due: 1; submitted again: 0" in text_of(
        console.post("/retry", text="mine", outcome="failed")
    )
    moved = [one for one in console.function.history.tasks() if one.task == "run_now"]
    assert len(moved) == 1
    assert "/_/retry" not in console.get("/?outcome=succeeded")


def test_events_are_listed_by_destination(env: dict[str, str]) -> None:
    """With the answer of each; one destination alone where that is asked for."""
    world = ForwardWorld()
    job_id = world.ended("Failed", "InvalidArgument")
    world.run(2)
    console = Console(env)
    assert "No event has been sent yet" in text_of(console.get("/events"))
    for key in world.store.list("_deliveries/"):
        console.function.store.put(key, world.store.get(key) or b"")
    page = console.get("/events")
    for part in (job_id, "delivered", "204", "job.failed"):
        assert part in text_of(page)
    [to, *_] = re.findall(r'<span class="way">([0-9a-f]{6})</span>', page)
    assert job_id not in console.get("/events?to=0000000000000000")
    assert to


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_each_page_says_what_it_is_for(console: Console, lang: str) -> None:
    """And an empty one the next command, which can be pasted."""
    heading = {"en": "What is this page?", "zh": "本页说明"}[lang]
    for path in ("/", "/sweeps", "/outbox", "/dead", "/charts", "/events"):
        page = console.get(path, lang)
        assert heading in page, path
        assert "<code>python -m ci_callback" in page, path
    console.send(code="InvalidArgument")
    console.post("/sweeps")
    for path in ("/send", "/deliveries/1", "/sweeps/2", "/deliveries/1/edit", "/retry"):
        assert console.get(path, lang).count(heading) == 1, path


def test_what_became_of_an_event_and_an_alert_is_told_in_chinese(console: Console) -> None:
    """On the page of events, and in the time line of the job."""
    world = ForwardWorld()
    job = world.ended()
    world.forward()
    for key in world.keys(""):
        console.function.store.put(key, world.memory.get(key) or b"")
    [key] = console.function.store.list(f"jobs/dt=2026-09-21/{job}")
    for path in ("/events", f"/job?key={quote(key)}"):
        page = console.get(path, lang="zh")
        assert "已送达" in text_of(page)
        assert "delivered" not in text_of(page)


def test_a_run_that_sends_events_tells_how_many(console: Console) -> None:
    """As a sweep does; one that wrote only its lease found nothing to do."""
    counts = {"due": 2, "delivered": 1, "failed": 1, "waiting": 0, "given_up": 0}
    line = {"event": "forward", "status": "done", **counts}
    for key in ("_deliveries/dt=2026-11-27/x.json", "_forward/1-x"):
        write = Write(1.0, "put", key)
        console.function.history.add(
            Invocation("timer", 1.0, 1, "", "forward", None, None, (line,), (write,))
        )
    page = text_of(console.get("/sweeps"))
    assert page.count("2 due, 1 delivered, 1 failed, 0 waiting, 0 given up") == 1
