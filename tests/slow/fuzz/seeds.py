"""What a run begins with: the payloads of the tests in each way, as failures that CI knows, the
corpus, and words."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from handler.callback import envelope, outcome, payload
from handler.callback.catalogue import TAGS
from handler.callback.redaction import SECRET_NAMES
from handler.failure_codes import CODES
from tests.callback.twins import as_json, as_xml
from tests.slow.fuzz.events import (
    AT,
    CHOICES,
    FOLLOWING,
    HEAD_CHARS,
    SETTING,
    SETTINGS,
    SWEEP,
    SWEEPS,
)
from tests.slow.fuzz.trees import for_xml

CORPUS = Path(__file__).parent / "corpus"
PAYLOADS = Path(__file__).parents[2] / "payloads"

ODD_LEAVES = (
    "",
    " ",
    "-",
    "0",
    "-1",
    "1e400",
    "NaN",
    "1_0",
    "٣",
    "9" * 19,
    "128.726000",
    "true",
    "a/ci-retry:j1:2:00c0ffee00c0ffee",
    "/ci-retry:=FF=00:9999:00c0ffee00c0ffee",
    "../../x",
    "a\r\nb: c",
    "\u2028\ud7ff\uffff",
    "0001-01-01T00:00:00+2359",
    "9999-12-31T23:59:60-0000",
    "2022-07-25 16:35:39.1234567+08:00",
    "2022-02-30T00:00:00Z",
    envelope.TEST_TRACE_ID,
    envelope.TEST_MESSAGE,
    "ReviewVideo",
    "WorkflowFinish",
    "x" * 300,
)
"""Texts that something in the reading of leaves looks at."""

MARKUP = (
    b"<![CDATA[",
    b"]]>",
    b"<!DOCTYPE a [<!ENTITY b 'c'>]>",
    b"&b;",
    b"&#xD;",
    b"&#0;",
    b"<?xml version='1.0' encoding='gbk'?>",
    b"\\ud800",
    b"\\u0000",
    b",}",
    b"#text",
    b"@a",
    b"\xef\xbb\xbf",
    b"\xff",
)
"""What the parsers look at, besides names."""


@cache
def bodies() -> tuple[bytes, ...]:
    """Every payload of the tests, in the order of names."""
    paths = sorted(path for path in PAYLOADS.rglob("*") if path.suffix in (".xml", ".json"))
    return tuple(path.read_bytes() for path in paths)


def seeds(target: str) -> Iterator[bytes]:
    """The payloads as inputs. For events each comes plain, and in one other way in turn; the
    first comes with each option of each choice. Each job comes as a failure that CI knows too,
    with one option of each choice in turn, and the first of these with each."""
    if target == "body":
        yield from bodies()
        return
    for number, body in enumerate(bodies()):
        yield _head({}) + body
        yield _head({at: number % len(options) for at, options in enumerate(CHOICES)}) + body
    for at, options in enumerate(CHOICES):
        for option in range(1, len(options)):
            yield _head({at: option}) + bodies()[0]
    yield from failures()


def failures() -> Iterator[bytes]:
    """Jobs that failed, as CI knows them, and what may go wrong then."""
    failed = [made for made in map(_failed, bodies()) if made is not None]
    known = {SWEEP: SWEEPS.index("known")}
    for number, body in enumerate(failed):
        chosen = {at: number // 2 % len(CHOICES[at]) for at in FOLLOWING}
        yield _head(chosen | known | {AT: number * 7 % len(CHOICES[AT])}) + body
    first = failed[0]
    for at in FOLLOWING:
        for option in range(1, len(CHOICES[at])):
            yield _head(known | {at: option, AT: 11}) + first
    always = {SETTING: next(at for at, env in enumerate(SETTINGS) if "always" in env.values())}
    yield _head(always | {SWEEP: SWEEPS.index("unknown")}) + first
    yield _head({SWEEP: SWEEPS.index("differs")}) + first
    yield _head(known) + first.replace(
        b"</Operation>", b"<UserData>%s</UserData></Operation>" % (b"x" * 1020)
    )


def _failed(body: bytes) -> bytes | None:
    """A job's callback as that of a failure which is worth another try; None for any other."""
    tree, form = payload.parse(body, payload.Limits())
    root = tree.get("Response", tree) if isinstance(tree, dict) else None
    if not isinstance(root, dict):
        return None
    details = root.get("JobsDetail")
    if not details:
        return None
    jobs = details if isinstance(details, list) else [details]
    failed = [
        {**job, "State": "Failed", "Code": "InternalError"} for job in jobs if isinstance(job, dict)
    ]
    return (as_xml if form == "xml" else as_json)(for_xml({**root, "JobsDetail": failed}))


def _head(chosen: dict[int, int]) -> bytes:
    return bytes(0x30 + chosen.get(at, 0) for at in range(HEAD_CHARS))


def corpus(target: str) -> list[Path]:
    """The inputs that runs found and that are kept."""
    return sorted(path for path in (CORPUS / target).iterdir() if path.is_file())


def file_name(data: bytes) -> str:
    """The name of an input's file, as libFuzzer gives it: the SHA-1 of what it holds."""
    return hashlib.sha1(data, usedforsecurity=False).hexdigest()


@cache
def words() -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names of nodes and texts of leaves: those of the payloads, and those the code knows."""
    names: set[str] = set(SECRET_NAMES)
    leaves: set[str] = {*TAGS, *CODES, *outcome.REVIEW_OUTCOMES, *ODD_LEAVES}
    level: list[Any] = [payload.parse(body, payload.Limits())[0] for body in bodies()]
    while level:
        node = level.pop()
        if isinstance(node, dict):
            names.update(node)
            level += node.values()
        elif isinstance(node, list):
            level += node
        elif isinstance(node, str) and len(node) <= 80:
            leaves.add(node)
    return tuple(sorted(names)), tuple(sorted(leaves))


def dictionary() -> str:
    """The words as a dictionary of libFuzzer."""
    names, leaves = words()
    texts = [*MARKUP, *(word.encode() for word in (*names, *leaves))]
    return "".join(f'"{_escaped(text)}"\n' for text in texts if len(text) <= 60 and text.strip())


def _escaped(text: bytes) -> str:
    return "".join(
        chr(byte) if 32 <= byte < 127 and byte not in b'"\\' else f"\\x{byte:02X}" for byte in text
    )
