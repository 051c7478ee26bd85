"""The spill: callbacks that the ledger does not accept, in another store, one object each.

Sweeps take them in (retries/spilled.py). An object is one line of JSON, `spill/1`.
"""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

from handler.callback import converters
from handler.callback.json_body import scalar_values
from handler.ingest.received import ReceivedCallback
from handler.ledger import keys
from handler.ledger.store import Store

SCHEMA = "spill/1"

MAX_NAME_CHARS = 100
"""Of the trigger's name and the request id; the function's own are shorter."""


def put(store: Store, callback: ReceivedCallback) -> str:
    """Store a callback; its key. The same body in the same second is stored once.

    Raises:
        StoreError: it may not be durable.
    """
    sha256 = hashlib.sha256(callback.body).hexdigest()
    key = keys.spilled(callback.received_at, len(callback.body), sha256)
    values = {
        "schema": SCHEMA,
        "sha256": sha256,
        "bytes": len(callback.body),
        "trigger": callback.trigger,
        "received_at": callback.received_at,
        "request_id": callback.request_id,
        "headers": dict(callback.headers),
        "body_base64": base64.b64encode(callback.body).decode("ascii"),
    }
    store.put(key, json.dumps(values, separators=(",", ":")).encode("ascii") + b"\n")
    return key


def read(line: bytes) -> ReceivedCallback:
    """Read back what `put` wrote. Whoever may write to the spill may have put something else there:
    a text that no record can hold is made one that it can.

    Raises:
        ValueError: it is not a whole spill/1.
    """
    try:
        values: Any = json.loads(line)
    except RecursionError as error:
        raise ValueError(f"not a {SCHEMA}: nested too deep") from error
    if not isinstance(values, dict) or values.get("schema") != SCHEMA:
        raise ValueError(f"not a {SCHEMA}")
    texts = [values.get(name) for name in ("body_base64", "trigger", "received_at", "request_id")]
    headers = values.get("headers")
    if not all(isinstance(text, str) for text in texts) or not isinstance(headers, dict):
        raise ValueError(f"a {SCHEMA} with other fields than it should have")
    body, trigger, sent_at, request_id = (scalar_values(str(text)) for text in texts)
    received_at = converters.as_moment(sent_at)
    if received_at is None:
        # Its day becomes part of a key: one such object would keep all behind it out of the ledger.
        raise ValueError(f"a {SCHEMA} without the time at which it was received")
    callback = ReceivedCallback(
        base64.b64decode(body, validate=True),
        trigger[:MAX_NAME_CHARS],
        received_at,
        request_id[:MAX_NAME_CHARS],
        {scalar_values(str(name)): scalar_values(str(value)) for name, value in headers.items()},
    )
    if hashlib.sha256(callback.body).hexdigest() != values.get("sha256"):
        raise ValueError(f"a {SCHEMA} whose body is not the one that was written")
    return callback
