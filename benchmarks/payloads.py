"""The callbacks that are measured. `@JOB@` stands for the JobId, so that each call has its own."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

DOCUMENTED = Path(__file__).parent.parent / "tests" / "payloads"
TOKEN = "a-token-for-measuring"  # noqa: S105  # of a stub on loopback

_JOB_ID = re.compile(r"(?<=<JobId>)[^<]+|(?<=\"JobId\":\")[^\"]+|(?<=\"JobId\": \")[^\"]+")


DESTINATION = f"https://example.com/#secret=whsec_{'A' * 43}="
"""An address of FORWARD_URLS: nothing is sent to it here."""


def documented(tag: str, form: str) -> str:
    """The payload of CI's documents, with a JobId of its own."""
    text = (DOCUMENTED / f"{tag}.seed.{form}").read_text("utf-8")
    made, count = _JOB_ID.subn("j@JOB@", text)
    if count != 1:
        raise AssertionError("each of these has one job")
    return made


def small() -> dict[str, tuple[str, str]]:
    """Both documented payloads in both forms: a title and a body, by the key of a row."""
    tags = {"translation": "Translation", "split": "SplitVideoParts"}
    return {
        f"{name}_{form}": (f"{tag}, {form.upper()}", documented(tag, form))
        for name, tag in tags.items()
        for form in ("xml", "json")
    }


def failed() -> str:
    """The documented Translation, failed for a reason that is worth another attempt."""
    return (
        documented("Translation", "xml")
        .replace("<State>Success</State>", "<State>Failed</State>")
        .replace("<Code>Success</Code>", "<Code>InternalError</Code>")
    )


def recovered() -> str:
    """A second attempt that succeeded; it is one where the store holds PROOF."""
    text = documented("Translation", "xml").replace("j@JOB@", "jrecovered")
    return text.replace("Translation job.", "Translation job./ci-retry:jroot:2:00c0ffee00c0ffee")


PROOF = {"_lineage/jrecovered.json": b'{"root_job_id": "jroot", "attempt": 2}'}
"""What a sweep notes of the job that it submitted."""


_NAME = "a shot's name, long enough that a body of 2 MB stays below the limit on nodes: " + "x" * 40


def sized(size: int, form: str = "xml") -> str:
    """A SplitVideoParts callback of about `size` bytes: as many shots as it takes."""
    if form == "xml":
        template = (
            "<TimeInfo><Index>{0}</Index><PartBegin>{0}.120000</PartBegin>"
            f"<PartEnd>{{0}}.960000</PartEnd><Name>{_NAME}</Name></TimeInfo>"
        )
        text = documented("SplitVideoParts", "xml")
        cut = text.rindex("</TimeInfo>") + len("</TimeInfo>")
        parts = _fill(template, size - len(text))
        return text[:cut] + parts + text[cut:]
    template = (
        '{{"Index":"{0}","PartBegin":"{0}.120000",'
        f'"PartEnd":"{{0}}.960000","Name":"{_NAME}"}}}},'
    )
    text = documented("SplitVideoParts", "json").replace("},]", "}]")
    cut = text.index('[{"Index"') + 1
    return text[:cut] + _fill(template, size - len(text)) + text[cut:]


def _fill(template: str, size: int) -> str:
    parts, length, number = [], 0, 10
    while length < size:
        parts.append(template.format(number))
        length += len(parts[-1])
        number += 1
    return "".join(parts)


def event(body: str, token: str = TOKEN) -> dict[str, Any]:
    """As a function URL sends it (583/96099)."""
    return {
        "body": body,
        "headers": {
            "accept-encoding": "gzip",
            "content-length": str(len(body)),
            "content-type": "application/xml",
            "user-agent": "Go-http-client/1.1",
        },
        "httpMethod": "POST",
        "isBase64Encoded": False,
        "path": "/",
        "queryString": {"token": token},
    }


def batch(count: int) -> dict[str, Any]:
    """A CKafka event with so many callbacks."""
    body = documented("Translation", "xml")
    record = {"topic": "ci", "partition": 1, "offset": 36, "msgKey": "None", "msgBody": body}
    return {"Records": [{"Ckafka": record}] * count}


def timer(chore: str) -> dict[str, Any]:
    """A timer's event."""
    return {"Type": "Timer", "TriggerName": chore, "Time": "2026-09-20T00:00:00Z", "Message": chore}
