"""sending.py: one event to one destination."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Mapping

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from handler.errors import NoAnswerError
from handler.events.event import of_record
from handler.forwarding.sending import MAX_RETRY_AFTER_S, Outgoing, is_wanted, send, signed_headers
from handler.http_client import Answer, HttpClient
from handler.policy import Policy
from handler.settings import Destination
from handler.settings.destinations import read_destination
from tests.callback.test_record import job
from tests.forwarding.receivers import SECRET
from tests.peer import Peer

POLICY = Policy(3, 60, 3600)
EVENT = of_record(job(State="Success", Code="Success", Tag="Translation", UserData="梅"), POLICY)
assert EVENT is not None
OUTGOING = Outgoing.of(EVENT, is_kept=True)


def destination(options: str = "") -> Destination:
    return read_destination(f"https://one.example.com/hook#secret={SECRET}{options}")


class Answers:
    """`Http` that gives one answer."""

    def __init__(self, answer: Answer | NoAnswerError) -> None:
        self._answer = answer

    def send(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes, timeout_s: float
    ) -> Answer:
        if isinstance(self._answer, NoAnswerError):
            raise self._answer
        return self._answer


def test_the_official_library_verifies_the_signature() -> None:
    """And no other secret, body or id does."""
    headers = signed_headers(OUTGOING, destination().secret, time.time())
    assert Webhook(SECRET).verify(OUTGOING.body, headers)["id"] == OUTGOING.id
    for wrong in (
        (SECRET, OUTGOING.body + b" ", headers),
        (SECRET, OUTGOING.body, headers | {"webhook-id": "evt_other"}),
        ("whsec_" + "A" * 32, OUTGOING.body, headers),
    ):
        with pytest.raises(WebhookVerificationError):
            Webhook(wrong[0]).verify(wrong[1], wrong[2])


def test_an_old_signature_is_refused_by_the_library() -> None:
    """The time is signed: nobody can send an old event again."""
    headers = signed_headers(OUTGOING, destination().secret, time.time() - 600)
    with pytest.raises(WebhookVerificationError, match="too old"):
        Webhook(SECRET).verify(OUTGOING.body, headers)


@pytest.fixture
def peer() -> Iterator[Peer]:
    with contextlib.closing(Peer()) as opened:
        yield opened


def test_a_redirect_is_not_followed_and_counts_as_a_failure(peer: Peer) -> None:
    """It would carry the event to another address."""
    away = f"HTTP/1.1 302 Found\r\nLocation: {peer.url}\r\nContent-Length: 0\r\n\r\n"
    peer.answers = [away.encode()]
    to = read_destination(f"{peer.url}#secret={SECRET}")
    client = HttpClient()
    result = send(client, to, OUTGOING, 1_790_000_000.0)
    client.close()
    assert (result.status, result.code) == ("failed", 302)
    assert len(peer.requests) == 1


def test_no_secret_is_in_the_reason_of_a_failure() -> None:
    """The server may quote the address or the signature's key."""
    to = read_destination(f"https://one.example.com/hooks/very-secret-path#secret={SECRET}")
    words = f"no such hook: {to.url} {SECRET}\n<b>".encode()
    result = send(Answers(Answer(404, words)), to, OUTGOING, 0.0)
    assert result.status == "failed"
    assert "very-secret-path" not in result.reason
    assert SECRET.removeprefix("whsec_") not in result.reason
    assert "\n" not in result.reason
    assert "very-secret" not in repr(to)


def test_no_secret_is_cut_before_it_is_found() -> None:
    """An answer that repeats it often is much shorter without it."""
    to = read_destination(f"https://one.example.com/{'s3cr3t' * 20}#secret={SECRET}")
    result = send(Answers(Answer(404, f"{to.url} ".encode() * 40)), to, OUTGOING, 0.0)
    assert "s3cr3t" not in result.reason


def test_without_an_answer_the_reason_is_kept() -> None:
    """No code, and no exception."""
    lost = NoAnswerError("one.example.com", "no whole answer within 10 s", True, "time")
    result = send(Answers(lost), destination(), OUTGOING, 5.0)
    assert (result.status, result.code, result.at) == ("failed", None, 5.0)
    assert result.reason == "no whole answer within 10 s"


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("120", 120.0),
        ("Mon, 21 Sep 2026 14:14:20 GMT", 60.0),
        ("Mon, 21 Sep 2020 14:14:20 GMT", 0.0),
        ("99999999999999", MAX_RETRY_AFTER_S),
        *((text, 0.0) for text in ("", "soon", "-5", "１２", "\x00")),
    ],
)
def test_retry_after_is_seconds_or_a_date(header: str, seconds: float) -> None:
    """Anything else is passed over."""
    result = send(Answers(Answer(503, b"", header)), destination(), OUTGOING, 1_790_000_000.0)
    assert result.retry_after_s == seconds


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        ("", True),
        ("&types=job.*", True),
        ("&types=job.failed,job.succeeded", True),
        ("&types=job.failed", False),
        ("&tags=Translation,Transcode", True),
        ("&tags=Transcode", False),
        ("&types=job.*&tags=Transcode", False),
    ],
)
def test_a_destination_takes_its_types_and_tags(options: str, wanted: bool) -> None:
    """Both must fit."""
    assert is_wanted(OUTGOING, destination(options)) is wanted
