"""A receiver of events, with Flask: verify, remember, answer; then do the work.

    pip install flask
    WEBHOOK_SECRET=whsec_… flask --app events_flask run --port 3000
    python -m ci_callback listen --forward-to http://localhost:3000/ci --secret whsec_…

An event comes at least once. It is stored under its id, in one transaction with what it changes,
before it is answered 200, so a repeated event changes nothing.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import sqlite3
import time
from collections.abc import Mapping
from typing import Any

from flask import Flask, request

TOLERANCE_S = 300

app = Flask(__name__)


def verified(secret: str, headers: Mapping[str, str], body: bytes) -> bool:
    """Whether a request was signed with the secret, less than five minutes ago."""
    name, stamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not stamp.isdigit() or abs(time.time() - int(stamp)) > TOLERANCE_S:
        return False
    key = base64.b64decode(secret.removeprefix("whsec_"))
    digest = hmac.new(key, f"{name}.{stamp}.".encode() + body, hashlib.sha256).digest()
    expected = f"v1,{base64.b64encode(digest).decode()}"
    signatures = headers.get("webhook-signature", "").split()
    return any(hmac.compare_digest(expected, signature) for signature in signatures)


def database() -> sqlite3.Connection:
    """What this receiver knows: one row for each event, one for each job that is over."""
    opened = sqlite3.connect(os.environ.get("DATABASE", "events.db"))
    opened.execute("CREATE TABLE IF NOT EXISTS events (id TEXT PRIMARY KEY)")
    opened.execute("CREATE TABLE IF NOT EXISTS jobs (root TEXT PRIMARY KEY, type TEXT, why TEXT)")
    return opened


def handle(into: sqlite3.Connection, event: dict[str, Any]) -> None:
    """Your own work. Here: note how each job that was submitted ended, and pass over news of
    retries that are under way."""
    if event["final"]:
        row = (event["root_job_id"], event["type"], event["reason"])
        into.execute("INSERT OR REPLACE INTO jobs VALUES (?, ?, ?)", row)


@app.post("/ci")
def hear() -> tuple[str, int]:
    """One event."""
    body = request.get_data()
    if not verified(os.environ["WEBHOOK_SECRET"], request.headers, body):
        return "the signature is not valid", 401
    event = json.loads(body)
    opened = database()
    try:
        with opened:  # one transaction: an event counts once, whatever fails
            opened.execute("INSERT INTO events VALUES (?)", (request.headers["webhook-id"],))
            handle(opened, event)
    except sqlite3.IntegrityError:
        return "it came before", 200
    finally:
        opened.close()
    return "taken", 200
