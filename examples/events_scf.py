"""A receiver of events as a plain SCF function behind a function URL: `events_scf.main_handler`.

Set WEBHOOK_SECRET, and INBOX to a folder that outlives an instance, such as a mounted CFS. An event
is one file there, named by its id, so a repeated event is recognised. Another function
may take the files from there; to put them into CKafka or TDMQ instead, replace `store`.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import re
import time
from collections.abc import Mapping
from typing import Any

TOLERANCE_S = 300

_ID = re.compile(r"evt_[0-9a-f]{32}")


def main_handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """SCF's entrypoint: one HTTP request in, its answer out."""
    headers = {name.lower(): value for name, value in event.get("headers", {}).items()}
    body = event.get("body") or ""
    raw = base64.b64decode(body) if event.get("isBase64Encoded") else body.encode()
    if not verified(os.environ["WEBHOOK_SECRET"], headers, raw):
        return answer(401, "the signature is not valid")
    is_new = store(headers["webhook-id"], raw)
    return answer(200, "taken" if is_new else "it came before")


def verified(secret: str, headers: Mapping[str, str], body: bytes) -> bool:
    """Whether a request was signed with the secret, less than five minutes ago."""
    name, stamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not _ID.fullmatch(name) or not stamp.isdigit():
        return False
    key = base64.b64decode(secret.removeprefix("whsec_"))
    digest = hmac.new(key, f"{name}.{stamp}.".encode() + body, hashlib.sha256).digest()
    expected = f"v1,{base64.b64encode(digest).decode()}"
    signatures = headers.get("webhook-signature", "").split()
    is_signed = any(hmac.compare_digest(expected, signature) for signature in signatures)
    return is_signed and abs(time.time() - int(stamp)) <= TOLERANCE_S


def store(event_id: str, body: bytes) -> bool:
    """Keep an event; whether it is new. It is whole before it has its name."""
    folder = os.environ["INBOX"]
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, f"{event_id}.json")
    if os.path.exists(path):
        return False
    aside = f"{path}.{os.getpid()}-{time.monotonic_ns()}"
    with open(aside, "wb") as file:
        file.write(body)
        file.flush()
        os.fsync(file.fileno())
    os.replace(aside, path)
    return True


def answer(status: int, text: str) -> dict[str, Any]:
    """As a function URL wants it."""
    headers = {"Content-Type": "application/json"}
    return {"statusCode": status, "headers": headers, "body": json.dumps({"message": text})}
