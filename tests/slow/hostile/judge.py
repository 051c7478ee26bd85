"""What must hold of every answer, log line and file, and what must hold of one case's."""

from __future__ import annotations

import base64
import hashlib
import json
import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NoReturn

import jsonschema

import ci_callback
from tests.slow.hostile.case import PLANTED, TOKEN

MAX_ANSWER_BYTES = 6 * 1024 * 1024
"""SCF passes on no longer answer (document 583/11637)."""

_NAME = "(?:[a-z0-9]|~[0-9A-F]{2}){1,80}|[a-z0-9~A-F]{16}~[0-9a-f]{64}"
_DAY = r"dt=\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])"
_KINDS = "failed|partial|gave-up|recovered|unknown|conflict|dead"
_KEYS = re.compile(
    rf"(?:jobs|workflows)/{_DAY}/(?:{_NAME})\.json"
    rf"|reviews/{_DAY}/(?:{_NAME})-(?:{_NAME})-[0-9a-f]{{12}}\.json"
    rf"|_unfinished/{_DAY}/(?:{_NAME})-(?:{_NAME})\.json"
    rf"|_outbox/\d{{10}}-(?:{_NAME})-(?:{_NAME})-(?:retry|alert\.(?:{_KINDS}))\.json"
    # A conflict takes the retry back that it had put: its mark keeps a redelivery from putting it.
    rf"|_done/\d{{10}}-(?:{_NAME})-(?:{_NAME})-(?:retry|alert\.(?:{_KINDS}))\.json"
    rf"|_dead/{_DAY}/[0-9a-f]{{64}}\.json"
)
"""Every key that a callback may lead to."""

_MOST_LINE_CHARS = 8_000
"""Of a log line: SCF cuts a longer one."""

_SCHEMA_PATH = Path(ci_callback.__file__).with_name("job-record-1.schema.json")
_RECORD = jsonschema.Draft202012Validator(json.loads(_SCHEMA_PATH.read_bytes()))
_MOST_VALIDATED = 20_000
"""Bytes of a record that is held against its schema: the large ones differ from small ones in
nothing but their number of nodes."""


@dataclass(frozen=True)
class Scene:
    """What is there after an event. place: the folder in which the ledger is."""

    event: Any
    answer: Any
    output: str
    place: Path

    @cached_property
    def body(self) -> Any:
        """The answer's body, decoded."""
        return _strict(self.answer["body"])

    @cached_property
    def files(self) -> dict[str, bytes]:
        """All that was written, by its path below the place."""
        paths = sorted(self.place.rglob("*"))
        return {
            path.relative_to(self.place).as_posix(): path.read_bytes()
            for path in paths
            if path.is_file() or path.is_symlink()
        }

    def below(self, folder: str) -> dict[str, Any]:
        """What was written to one of the ledger's folders, decoded."""
        start = f"ledger/{folder}/"
        return {
            path.removeprefix("ledger/"): _strict(content)
            for path, content in self.files.items()
            if path.startswith(start)
        }


def faults(case: Mapping[str, Any], scene: Scene) -> list[str]:
    """What is not as it should be, in words; nothing where all is well."""
    problems = list(_of_answer(scene))
    if problems:
        return problems  # the rest looks into the answer
    return [fault for check in _CHECKS for fault in check(case, scene)]


def _of_answer(scene: Scene) -> Iterator[str]:
    answer = scene.answer
    if not isinstance(answer, dict) or set(answer) != {
        "isBase64Encoded",
        "statusCode",
        "headers",
        "body",
    }:
        yield f"the answer is no HTTP answer: {answer!r:.200}"
        return
    if type(answer["statusCode"]) is not int or answer["isBase64Encoded"] is not False:
        yield f"the answer's status or form is wrong: {answer!r:.200}"
    headers = answer["headers"]
    texts = [*headers, *headers.values()]
    if not all(isinstance(text, str) and text.isascii() and text.isprintable() for text in texts):
        yield f"headers that are no plain texts: {headers!r:.200}"
    try:
        if not isinstance(scene.body, dict):
            yield "the answer's body is no object"
    except ValueError as error:
        yield f"the answer's body is not JSON: {error}"
    if len(json.dumps(answer)) > MAX_ANSWER_BYTES:
        yield f"an answer of {len(json.dumps(answer)):,} bytes, more than SCF passes on"


def _of_expectations(case: Mapping[str, Any], scene: Scene) -> Iterator[str]:
    status, words = scene.answer["statusCode"], case["words"]
    if status != case["status"]:
        yield f"answered {status}, expected {case['status']}: {scene.answer['body'][:200]}"
        return
    jobs = scene.body.get("jobs")
    given_words = [job["status"] for job in jobs] if jobs else scene.body["status"]
    if scene.body.get("omitted") and isinstance(words, list):
        if len(words) != len(given_words) + scene.body["omitted"]:
            yield f"{len(given_words)} jobs and {scene.body['omitted']} omitted of {len(words)}"
        words = words[: len(given_words)]
    if given_words != words:
        yield f"told {given_words!r:.100}, expected {words!r:.100}"
    reasons = [letter["reason"] for letter in scene.below("_dead").values()]
    expected = [case["reason"]] if case["reason"] else []
    if reasons != expected:
        yield f"dead letters for {reasons}, expected {expected}"
    if case["reason"] and not jobs and not scene.body["reason"].startswith(case["reason"] + ":"):
        yield f"the answer gives another reason: {scene.body['reason'][:100]}"
    if case["key"] and [job["key"] for job in jobs or []] != [case["key"]]:
        yield f"kept at {[job['key'] for job in jobs or []]!r:.200}, expected {case['key']}"
    if case["holds"]:
        yield from _of_record(case["holds"], scene)


def _of_record(holds: list[tuple[list[str], Any]], scene: Scene) -> Iterator[str]:
    kept = _strict(scene.files[f"ledger/{scene.body['jobs'][0]['key']}"])
    for path, expected in holds:
        value = kept
        for name in path:
            try:
                value = value[int(name) if isinstance(value, list) else name]
            except (LookupError, TypeError, ValueError):
                value = "nothing"
                break
        if value != expected or type(value) is not type(expected):
            yield f"the record holds {value!r:.100} at {path}, expected {expected!r:.100}"


def _of_log(case: Mapping[str, Any], scene: Scene) -> Iterator[str]:
    if not all(line.isascii() and line.isprintable() for line in scene.output.split("\n")):
        yield "the log holds what is not printable ASCII"
    lines = scene.output.splitlines()
    if not scene.output.endswith("\n") and lines:
        yield "the log's last line does not end"
    for line in lines:
        try:
            entry = _strict(line)
        except ValueError:
            yield f"a log line that is not JSON: {line[:100]!r}"
            continue
        if any(isinstance(value, (dict, list)) for value in entry.values()):
            yield f"a log line that is not flat: {line[:100]!r}"
        if entry["level"] == "ERROR" or "traceback" in entry:
            yield f"an error was logged: {line[:300]}"
        if len(line) > _MOST_LINE_CHARS:
            yield f"a log line of {len(line):,} characters"
    counts = {"words": len(case["words"]) if isinstance(case["words"], list) else 1}
    if scene.answer["statusCode"] != 200 and len(lines) < 1:
        yield f"nothing was logged of {counts['words']} that was not kept"


def _of_files(case: Mapping[str, Any], scene: Scene) -> Iterator[str]:
    for path in scene.place.rglob("*"):
        if path.is_symlink() or not (path.is_file() or path.is_dir()):
            yield f"something else than a file: {path.name[:100]}"
    for name, content in scene.files.items():
        if not name.startswith("ledger/") or not _KEYS.fullmatch(name.removeprefix("ledger/")):
            yield f"a file where none belongs: {name[:200]}"
        if b"\n" in content[:-1]:
            yield f"a file that is not one line: {name[:200]}"
    if case["status"] >= 400 and scene.files:
        yield f"refused, and yet written: {sorted(scene.files)[:3]}"


def _of_records(case: Mapping[str, Any], scene: Scene) -> Iterator[str]:
    """Every job that is told as kept is there, whole; a large one is not looked into."""
    for job in scene.body.get("jobs", ()):
        if job["status"] == "kept":
            content = scene.files.get(f"ledger/{job['key']}")
            if content is None:
                yield f"told as kept, and not there: {job['key'][:200]}"
                continue
            kept = _strict(content)
            if kept["tag"] is not None and not str(kept["tag"]).startswith(
                (job["tag"] or "")[:100]
            ):
                yield "the answer tells another tag than the record"
            if len(content) < _MOST_VALIDATED:
                error = next(iter(_RECORD.iter_errors(kept)), None)
                if error is not None:
                    yield f"not a valid record: {error.message[:200]}"


def _of_letters(case: Mapping[str, Any], scene: Scene) -> Iterator[str]:
    """A dead letter holds the whole body, and somebody is told of it."""
    for key, letter in scene.below("_dead").items():
        sent = _sent(scene.event)
        body = base64.b64decode(letter["body_base64"], validate=True)
        digest = hashlib.sha256(body).hexdigest()
        if sent is not None and body != sent:
            yield "the dead letter holds another body than was sent"
        if not key.endswith(f"/{digest}.json") or letter["sha256"] != digest:
            yield "the dead letter's check sum is not that of its body"
        kinds = ("-alert.dead.json", "-alert.conflict.json")
        if not any(name.endswith(kinds) for name in scene.below("_outbox")):
            yield "a dead letter that nobody is told of"


def _of_secrets(case: Mapping[str, Any], scene: Scene) -> Iterator[str]:
    # A dead letter holds the body as it came; what was fetched must not be in there either.
    given_words = {"the answer": json.dumps(scene.answer), "the log": scene.output}
    files = {path: content.decode("utf-8") for path, content in scene.files.items()}
    letters = {
        path: base64.b64decode(_strict(text)["body_base64"]).decode("utf-8", "replace")
        for path, text in files.items()
        if path.startswith("ledger/_dead/")
    }
    for where, text in {**given_words, **files}.items():
        for what, secret in (("a token", TOKEN), ("a secret", PLANTED), ("the bait", case["bait"])):
            if secret in text:
                yield f"{what} is in {where[:100]}"
    for where, text in letters.items():
        if case["bait"] in text:
            yield f"the bait is in {where}"


_CHECKS: tuple[Callable[[Mapping[str, Any], Scene], Iterator[str]], ...] = (
    _of_expectations,
    _of_log,
    _of_files,
    _of_records,
    _of_letters,
    _of_secrets,
)


def _sent(event: Any) -> bytes | None:
    """The bytes of a text body; None where the platform had decoded it."""
    body = event.get("body") if isinstance(event, dict) else None
    if not isinstance(body, str):
        return None
    raw = body.encode("utf-8", "surrogatepass")
    flag = event.get("isBase64Encoded")
    is_base64 = flag is True or (isinstance(flag, str) and flag.strip().lower() == "true")
    return base64.b64decode(raw) if is_base64 else raw


def _strict(text: str | bytes) -> Any:
    """JSON, without what Python takes besides."""
    return json.loads(text, parse_constant=_refuse, parse_float=_finite)


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _finite(sent: str) -> float:
    number = float(sent)
    if not math.isfinite(number):
        raise ValueError(f"{sent[:20]} is no finite number")
    return number
