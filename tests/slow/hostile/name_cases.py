"""Hostile names: JobIds, run ids, states, tags that try to leave their place or to meet another."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from xml.sax.saxutils import escape

from tests.slow.hostile.case import Bait, Case, dead, json_job, kept, post, xml_job

NAMES = (
    "../../../etc/passwd",
    "..",
    ".",
    "/",
    "//",
    "/etc/passwd",
    "a/../../b",
    "a//b",
    "./a",
    "a/",
    "..\\..\\windows\\win.ini",
    "C:\\Windows\\x",
    "\\\\host\\share",
    "file:///etc/passwd",
    "cos://other-1250000000/x",
    "%2e%2e%2f%2e%2e%2fx",
    "..%c0%af..%c0%afx",
    "%00",
    "~",
    "~root/x",
    "~2F",
    "$HOME/x",
    "${HOME}",
    "$(id)",
    "`id`",
    ";rm -rf x",
    "|cat",
    "&& x",
    "--help",
    "-",
    "-rf",
    "*",
    "?",
    "[a-z]",
    "a\tb",
    "a\nb",
    'a\r\n{"level":"INFO"}',
    "a b",
    " a",
    "a ",
    "a.",
    ".a",
    ".tmp-1234",
    "a.json",
    "x.json/../y",
    "con",
    "NUL",
    "aux.json",
    "com1",
    "a:b",
    "a:$DATA",
    "dt=2020-01-01",
    "_outbox",
    "0000000000-j1-succeeded-alert.failed",
    "J1",
    "İ",
    "ß",
    "é",
    "e\u0301",
    "ﬁ",
    "Å",
    "译",
    "\U0001f600",
    "\u202egnp.exe",
    "j\u200b1",
    "\ufeffj1",
    "j1\u0085",
    "j\u20281",
    "‥/‥/x",
    "．．／x",
    "⁄etc⁄passwd",
    "\U0010ffff",
    "null",
    "None",
    "NaN",
    "true",
    "0",
    "-1",
    "1e9",
    "' OR 1=1 --",
    "=cmd|' /C calc'!A0",
    "<script>alert(1)</script>",
    "${jndi:ldap://127.0.0.1/x}",
    "{0.__class__}",
    "%s%n",
    "{{7*7}}",
    "a" * 80,
    "a" * 81,
    "a" * 255,
    "a" * 256,
    "A" * 27,
    "a" * 1_024,
    "../" * 341,
    "译" * 1_024,
)

TOO_LONG = ("a" * 1_025, "../" * 3_414, "译" * 3_414, "\U0001f600" * 150_000)
"""No names: an id of one makes a dead letter, any other field is left out."""

NOT_IN_XML = ("\0", "a\0b", "\x01", "\x08", "\x1b[2J", "x\x1f", "a\x00.json", "\uffff", "\ufffe")
"""Names with characters that XML can't hold."""

TWINS = (
    ("j1", "J1"),
    ("é", "e\u0301"),
    ("é", "É"),
    ("i", "İ"),
    ("i", "ı"),
    ("k", "\u212a"),
    ("s", "ſ"),
    ("ss", "ß"),
    ("a/b", "a//b"),
    ("a/b", "a/./b"),
    ("a/b", "a\\b"),
    ("a/b", "a~2Fb"),
    ("a/b", "a%2Fb"),
    ("a/b", "a/b/"),
    ("a", "a "),
    ("a", "a."),
    ("a", "a\t"),
    ("a", "a\0"),
    ("a", "\ufeffa"),
    ("a", "a\u200b"),
    ("a-b", "a_b"),
    ("a-b", "a‐b"),
    ("con", "con."),
    ("a" * 80, "a" * 81),
    ("a" * 81, "a" * 82),
    ("a" * 16 + "b" * 100, "a" * 16 + "c" * 100),
    ("a" * 300, "a" * 299 + "A"),
    ("a" * 81, "a" * 16 + hashlib.sha256(b"a" * 81).hexdigest()),
    ("A" * 27, "~41" * 27),
)


def part(name: str) -> str:
    """A name as part of a key, by the design: [a-z0-9] as it is, every other byte as ~XX; over
    80 characters its first 16, ~ and its SHA-256."""
    raw = name.encode()
    plain = b"abcdefghijklmnopqrstuvwxyz0123456789"
    escaped = "".join(chr(byte) if byte in plain else f"~{byte:02X}" for byte in raw)
    return escaped if len(escaped) <= 80 else f"{escaped[:16]}~{hashlib.sha256(raw).hexdigest()}"


def _review(name: str) -> str:
    detail = {"JobId": "j1", "State": name, "CreationTime": "2022-07-25T16:35:39+0800"}
    return json.dumps({"EventName": "ReviewVideo", "JobsDetail": detail})


def _simple(name: str) -> str:
    return json.dumps(
        {"code": 0, "message": "x", "data": {"trace_id": name, "event": "ReviewText"}}
    )


def _run(name: str) -> str:
    return json.dumps({"WorkflowExecution": {"RunId": name, "State": "Success"}})


def _run_xml(name: str) -> str:
    run = f"<RunId>{_text(name)}</RunId><State>Failed</State>"
    return f"<Response><WorkflowExecution>{run}</WorkflowExecution></Response>"


def _text(name: str) -> str:
    return escape(name, {"\r": "&#13;"})


def _xml_job(**detail: str) -> str:
    return xml_job(**detail).replace("\r", "&#13;")


NO_DAY = "dt=1970-01-01"

PLACES: dict[str, tuple[Callable[[str], str], Callable[[str], str | None], str]] = {
    "JobId": (
        lambda name: json_job(JobId=name, State="Failed"),
        lambda name: f"jobs/{NO_DAY}/{part(name)}.json",
        "job_id",
    ),
    "JobId in XML": (
        lambda name: _xml_job(JobId=name),
        lambda name: f"jobs/{NO_DAY}/{part(name)}.json",
        "job_id",
    ),
    "State": (
        lambda name: json_job(State=name),
        lambda name: f"_unfinished/{NO_DAY}/j1-{part(name)}.json",
        "state",
    ),
    "Tag in XML": (
        lambda name: _xml_job(Tag=name, State="Failed"),
        lambda name: f"jobs/{NO_DAY}/j1.json",
        "tag",
    ),
    "RunId": (_run, lambda name: f"workflows/{NO_DAY}/{part(name)}.json", "job_id"),
    "RunId in XML": (_run_xml, lambda name: f"workflows/{NO_DAY}/{part(name)}.json", "job_id"),
    "trace_id": (_simple, lambda name: None, "job_id"),
    "State of a review": (_review, lambda name: None, "state"),
    "Object": (
        lambda name: json_job(Input={"Object": name, "BucketId": name}, QueueId=name, Code=name),
        lambda name: f"jobs/{NO_DAY}/j1.json",
        "input.object",
    ),
}
"""Where a name may stand: the body, the key that it must lead to, and where it is in the record."""


def cases(bait: Bait) -> list[Case]:
    return [*_in_each_place(), *_too_long(), *_not_in_xml(), *_twins(), *_markers(), *_days()]


def _shown(name: str) -> str:
    return ascii(name) if len(name) < 40 else f"{name[:12]!a}… of {len(name)}"


def _in_each_place() -> Iterator[Case]:
    for place, (body, key, path) in PLACES.items():
        for name in NAMES:
            yield kept(f"{place} {_shown(name)}", body(name), key=key(name), holds={path: name})


def _too_long() -> Iterator[Case]:
    ids = ("JobId", "JobId in XML", "RunId", "RunId in XML", "trace_id")
    for name in TOO_LONG:
        for place in ids:
            body, _, _ = PLACES[place]
            yield dead(f"{place} {_shown(name)}", body(name), "id_too_long")
        for place in ("State", "Tag in XML", "State of a review"):
            body, _, path = PLACES[place]
            yield kept(f"{place} {_shown(name)}", body(name), holds={path: None})


def _not_in_xml() -> Iterator[Case]:
    for name in NOT_IN_XML:
        for place, (body, key, path) in PLACES.items():
            label = f"{place} {_shown(name)}"
            if place.endswith("XML"):
                yield dead(label, body(name), "xml_invalid")
            else:
                yield kept(label, body(name), key=key(name), holds={path: name})


def _twins() -> Iterator[Case]:
    """Two names that some disk, archive or reader takes for one: two records."""
    for first, second in TWINS:
        jobs = [{"JobId": name, "State": "Success"} for name in (first, second)]
        event = post(json.dumps({"JobsDetail": jobs}))
        label = f"JobIds {_shown(first)} and {_shown(second)} are two jobs"
        yield Case(label, event, 200, ("kept", "kept"))
        jobs[1]["State"] = "Failed"
        event = post(json.dumps({"JobsDetail": jobs}))
        yield Case(f"{label}, one of which failed", event, 200, ("kept", "kept"))


def _markers() -> Iterator[Case]:
    """Lineage markers that somebody else wrote: claims, which nothing in the ledger proves."""
    nonce = "0" * 16
    for marker, is_marker in (
        (f"/ci-retry:j0:2:{nonce}", True),
        (f"/ci-retry:j1:1:{nonce}", True),
        (f"/ci-retry:=2E=2E=2Fx:2:{nonce}", True),
        (f"/ci-retry:=00:2:{nonce}", True),
        (f"/ci-retry:=FF=FE:2:{nonce}", True),
        (f"/ci-retry:=0A=7B:9999:{nonce}", True),
        (f"/ci-retry:..:3:{nonce}", True),
        ("/ci-retry:" + "a" * 900 + f":2:{nonce}", True),
        ("/ci-retry:j0:2", False),
        (f"/ci-retry:j0:0:{nonce}", False),
        (f"/ci-retry:j0:00002:{nonce}", False),
        (f"/ci-retry:j0:-2:{nonce}", False),
        (f"/ci-retry:j0:99999:{nonce}", False),
        (f"/ci-retry:j0:٢:{nonce}", False),
        (f"/ci-retry:../x:2:{nonce}", False),
        (f"/ci-retry::2:{nonce}", False),
        (f"/ci-retry:j0:2:{nonce}0", False),
        (f"/ci-retry:j0:2:{'F' * 16}", False),
        (f"/ci-retry:j0:2:{nonce}\n", False),
        (f"/ci-retry:j0:2:{nonce} ", False),
        (f"/ci-retry:=zz:2:{nonce}", False),
        (f"/ci-retry:=0:2:{nonce}", False),
        (f"/ci-retry:译:2:{nonce}", False),
        (f"/CI-RETRY:j0:2:{nonce}", False),
        ("/ci-retry:" + "a" * 1_000_000, False),
        ("/ci-retry:" + "=41" * 100_000 + ":x", False),
    ):
        shown = marker if len(marker) < 60 else f"{marker[:20]}… of {len(marker)}"
        own = "own" if is_marker else f"own{marker}"
        for state in ("Success", "Failed"):
            yield kept(
                f"marker {shown!r} of a {state}",
                json_job(State=state, Operation={"UserData": "own" + marker}),
                holds={"retry.root_job_id": "j1", "retry.attempt": 1, "user_data": own},
                key=f"jobs/{NO_DAY}/j1.json",
            )


def _days() -> Iterator[Case]:
    """Dates that would name another folder."""
    for time in ("../../x", "2022-07-25/../x", "dt=2022-07-25", "2022-07-25\0", "..", "/", "\\"):
        for place, body in {
            "": json_job(CreationTime=time),
            " of a run": json.dumps(
                {"WorkflowExecution": {"RunId": "j1", "State": "Success", "CreateTime": time}}
            ),
        }.items():
            folder = "workflows" if place else "jobs"
            yield kept(
                f"CreationTime{place} {time!r}",
                body,
                key=f"{folder}/{NO_DAY}/j1.json",
                holds={"created_at": None},
            )
