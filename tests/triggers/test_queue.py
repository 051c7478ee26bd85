"""queue.py: callbacks that come as messages, several an invocation."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from handler.errors import StoreError
from handler.settings import Settings
from handler.triggers import JobResult, queue
from tests.conftest import PAYLOADS, Invoked
from tests.fake_cos import FakeCos, Fault

SETTINGS = Settings.from_env({})
CALLBACK = (PAYLOADS / "Translation.seed.xml").read_text()


def ckafka(*bodies: Any) -> dict[str, Any]:
    """The event of a CKafka trigger."""
    return {
        "Records": [
            {
                "Ckafka": {
                    "topic": "t",
                    "partition": 1,
                    "offset": n,
                    "msgKey": "None",
                    "msgBody": body,
                }
            }
            for n, body in enumerate(bodies)
        ]
    }


def cmq(*bodies: Any) -> dict[str, Any]:
    """The event of a CMQ topic trigger."""
    return {
        "Records": [
            {
                "CMQ": {
                    "type": "topic",
                    "topicName": "t",
                    "msgId": "1",
                    "msgBody": body,
                    "msgTag": [],
                }
            }
            for body in bodies
        ]
    }


@pytest.mark.parametrize("event", [ckafka(CALLBACK), cmq(CALLBACK, CALLBACK)])
def test_both_services_are_recognised(event: Any) -> None:
    """A delivery for each message."""
    assert queue.recognises(event)
    assert [delivery.body for delivery in queue.read(event, SETTINGS)] == [CALLBACK.encode()] * len(
        event["Records"]
    )


@pytest.mark.parametrize(
    "event",
    [
        None,
        [],
        {},
        {"Records": []},
        {"Records": "x"},
        {"Records": [{"cos": {}}]},
        {"Records": [{"CMQ": 1}]},
    ],
)
def test_other_events_are_not(event: Any) -> None:
    """They are for other triggers."""
    assert not queue.recognises(event)


@pytest.mark.parametrize(
    ("body", "read"),
    [
        (None, b""),
        ("", b""),
        ("hello", b"hello"),
        ({"a": 1}, b'{"a": 1}'),
        (base64.b64encode(b"<a/>").decode(), b"<a/>"),
        (base64.b64encode(b"no callback").decode(), base64.b64encode(b"no callback")),
        (" {}", b" {}"),
    ],
)
def test_a_message_may_be_text_base64_or_decoded_already(body: Any, read: bytes) -> None:
    """How CI's body travels in a message is not documented."""
    (delivery,) = queue.read(ckafka(body), SETTINGS)
    assert delivery.body == read


def test_a_poison_message_becomes_a_dead_letter_and_the_others_go_on(
    on_disk: Invoked, ledger: Path
) -> None:
    """No token is needed: CAM guards the queue."""
    on_disk.env["CALLBACK_TOKENS"] = "a-token"
    job = '{"JobsDetail": {"JobId": "j%d", "State": "Success"}}'
    answer = on_disk.event(ckafka(job % 1, "poison", None, job % 2, job % 1))
    assert answer["dead_letter"] == 2
    assert sum(answer.values()) == 5
    assert len(list(ledger.glob("jobs/*/*.json"))) == 2
    record = json.loads(next(ledger.glob("jobs/*/j1.json")).read_bytes())
    assert record["source"]["trigger"] == "queue"


def test_a_store_failure_is_raised_so_that_the_batch_comes_again(
    on_cos: Invoked, cos: FakeCos
) -> None:
    """Harmlessly: what was kept is a duplicate then."""
    job = '{"JobsDetail": {"JobId": "j%d", "State": "Success"}}'
    batch = cmq(*(job % number for number in range(20)))

    def some(seen: Any) -> Fault | None:
        return Fault(before=(403, "AccessDenied")) if seen.key.endswith("7.json") else None

    with cos.faulty(some), pytest.raises(StoreError, match="2 of the batch"):
        on_cos.event(batch)
    assert on_cos.event(batch) == {"duplicate": 18, "kept": 2}
    assert len(cos.keys("ci/jobs/")) == 20


def test_an_answer_counts_what_became_of_each() -> None:
    """It is written into the function's log."""
    assert queue.answer([JobResult("kept"), JobResult("duplicate"), JobResult("kept")]) == {
        "duplicate": 1,
        "kept": 2,
    }
