"""http.py: function URL and API gateway events, and who is let in."""

from __future__ import annotations

import base64
import json
import tracemalloc
from typing import Any

import pytest

from handler.errors import RefusedError
from handler.settings import Settings
from handler.triggers import Delivery, JobResult, http

OPEN = Settings.from_env({"MAX_BODY_BYTES": "2048"})
GENEROUS = Settings.from_env({})
GUARDED = Settings.from_env({"CALLBACK_TOKENS": "old-token,new-token"})

DOCUMENTED: dict[str, Any] = {
    "body": '{"test":"hello world"}',
    "headers": {"accept": "*/*", "content-length": "17", "x-scf-remote-addr": "111.206.96.145"},
    "httpMethod": "POST",
    "path": "/",
    "queryString": {"a": "1", "b": "2"},
}
OBSERVED: dict[str, Any] = DOCUMENTED | {
    "headerParameters": {},
    "isBase64Encoded": False,
    "pathParameters": {},
    "queryStringParameters": {},
    "requestContext": {"sourceIp": "36.159.237.104"},
}
GATEWAY: dict[str, Any] = OBSERVED | {
    "path": "/test/value",
    "queryString": {"foo": "bar", "bob": "alice"},
    "requestContext": {"serviceId": "service-f94sy04v", "path": "/test/{path}", "stage": "release"},
}


def refused(event: Any, settings: Settings = OPEN) -> int:
    """The status with which an event is refused."""
    with pytest.raises(RefusedError) as caught:
        http.read(event, settings)
    return caught.value.status


@pytest.mark.parametrize("event", [DOCUMENTED, OBSERVED, GATEWAY])
def test_every_shape_on_record_is_recognised_and_read(event: Any) -> None:
    """The documented one, the observed one, and the gateway's, whose paths are its own."""
    assert http.recognises(event)
    (delivery,) = http.read(event, OPEN)
    assert delivery.body == b'{"test":"hello world"}'


@pytest.mark.parametrize("event", [None, [], "x", {}, {"Type": "Timer"}, {"httpMethod": None}])
def test_other_events_are_not_recognised(event: Any) -> None:
    """They are for other triggers."""
    assert not http.recognises(event)


@pytest.mark.parametrize(
    ("body", "extra", "read"),
    [
        ("<a/>", {}, b"<a/>"),
        ("译", {}, "译".encode()),
        ({"a": 1}, {}, b'{"a": 1}'),
        ([1], {}, b"[1]"),
        (5, {}, b"5"),
        (base64.b64encode(b"\xff<a/>").decode(), {"isBase64Encoded": True}, b"\xff<a/>"),
        ("PGEv\nPg==", {"isBase64Encoded": True}, b"<a/>"),
        ("PGEvPg==", {"isBase64Encoded": False}, b"PGEvPg=="),
        ("PGEvPg==", {"isBase64Encoded": "true"}, b"<a/>"),
        ("PGEvPg==", {"isBase64Encoded": " True "}, b"<a/>"),
        ("PGEvPg==", {"isBase64Encoded": "false"}, b"PGEvPg=="),
        ("PGEvPg==", {"isBase64Encoded": 1}, b"PGEvPg=="),
        ("\ud800<a/>", {}, b"\xed\xa0\x80<a/>"),
        ({"a": "\ud800"}, {}, b'{"a": "\\ud800"}'),
        ({"a": "译"}, {}, '{"a": "译"}'.encode()),
        ({1: {}, "b": []}, {}, b'{"1": {}, "b": []}'),
    ],
)
def test_a_body_may_be_text_base64_or_decoded_already(body: Any, extra: Any, read: bytes) -> None:
    """Base64 only where the event says so, with a true or with the text of one."""
    (delivery,) = http.read(DOCUMENTED | {"body": body} | extra, OPEN)
    assert delivery.body == read


@pytest.mark.parametrize("body", [None, "", "  \r\n"])
def test_an_empty_body_is_refused(body: Any) -> None:
    """Missing, null, empty or blank."""
    assert refused(DOCUMENTED | {"body": body}) == 400
    assert refused({"httpMethod": "POST"}) == 400


@pytest.mark.parametrize("body", ["%%%", "PGEvPg=", "PGEv Pg=x", "é"])
def test_base64_that_is_none_is_refused(body: str) -> None:
    """The event says that it is, and it is not."""
    assert refused(DOCUMENTED | {"body": body, "isBase64Encoded": True}) == 400


def test_a_body_over_the_limit_is_refused_with_its_size_and_digest() -> None:
    """So that whoever looks can tell which one it was; the limit itself is taken."""
    (delivery,) = http.read(DOCUMENTED | {"body": "x" * 2048}, OPEN)
    assert len(delivery.body) == 2048
    with pytest.raises(RefusedError) as caught:
        http.read(DOCUMENTED | {"body": "x" * 2049}, OPEN)
    assert caught.value.status == 413
    assert caught.value.evidence["bytes"] == 2049
    assert len(str(caught.value.evidence["sha256"])) == 64
    huge = {"body": "A" * 10_000, "isBase64Encoded": True}
    assert refused(DOCUMENTED | huge) == 413
    assert refused(DOCUMENTED | {"body": "A" * 4000, "isBase64Encoded": True}) == 413


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/elsewhere", 404),
        ("GET", "/callback/x", 404),
        ("GET", "/", 405),
        ("PUT", "/callback", 405),
        ("POST", "/health", 405),
        ("HEAD", "/health", 405),
    ],
)
def test_other_paths_and_methods_are_refused(method: str, path: str, status: int) -> None:
    """With Allow where the method is what is wrong."""
    with pytest.raises(RefusedError) as caught:
        http.read(DOCUMENTED | {"httpMethod": method, "path": path}, OPEN)
    assert caught.value.status == status
    assert ("Allow" in caught.value.headers) == (status == 405)


@pytest.mark.parametrize("path", ["/", "", "/callback", "/callback/", None, 7])
def test_callbacks_go_to_the_root_or_to_callback(path: Any) -> None:
    """A slash at the end or a missing path does no harm."""
    assert len(http.read(DOCUMENTED | {"path": path}, OPEN)) == 1


@pytest.mark.parametrize("path", ["/health", "/health/"])
def test_health_needs_no_token_and_delivers_nothing(path: str) -> None:
    """It answers 200."""
    deliveries = http.read({"httpMethod": "get", "path": path}, GUARDED)
    assert list(deliveries) == []
    assert http.answer([])["statusCode"] == 200


@pytest.mark.parametrize(
    "proof",
    [
        {"queryString": {"token": "old-token"}},
        {"queryString": {"token": "new-token"}},
        {"queryStringParameters": {"token": "new-token"}},
        {"queryString": {}, "queryStringParameters": {"token": "new-token"}},
        {"queryString": {"token": "wrong"}, "headers": {"AUTHORIZATION": "Bearer new-token"}},
        {"headers": {"authorization": "bearer  old-token "}},
    ],
)
def test_any_configured_token_opens(proof: Any) -> None:
    """In the query or as a Bearer, in either query field, with header names in any case."""
    assert len(http.read(DOCUMENTED | proof, GUARDED)) == 1


@pytest.mark.parametrize(
    "proof",
    [
        {},
        {"queryString": None},
        {"queryString": "token=old-token"},
        {"queryString": {"token": ""}},
        {"queryString": {"token": "OLD-TOKEN"}},
        {"queryString": {"token": "old-token,new-token"}},
        {"queryString": {"token": ["old-token"]}},
        {"queryString": {"token": "\ud800"}},
        {"queryString": {"Token": "old-token"}},
        {"headers": {"authorization": "old-token"}},
        {"headers": {"authorization": "Basic old-token"}},
        {"headers": {"authorization": "Bearer"}},
        {"headers": {"authorization": ["Bearer old-token"]}},
        {"headers": None},
        {"headers": "authorization: Bearer old-token"},
    ],
)
def test_every_malformed_proof_is_refused(proof: Any) -> None:
    """401, and nothing of the request is looked at."""
    assert refused(DOCUMENTED | proof, GUARDED) == 401
    assert refused(DOCUMENTED | proof | {"body": None}, GUARDED) == 401


def test_only_harmless_headers_are_passed_on() -> None:
    """A dead letter keeps them; Authorization and cookies must not be among them."""
    headers = {"Authorization": "Bearer x", "Cookie": "y", "Content-Type": "text/xml", "X": 5}
    (delivery,) = http.read(DOCUMENTED | {"headers": headers}, OPEN)
    assert delivery == Delivery(b'{"test":"hello world"}', {"content-type": "text/xml"})


KEPT = JobResult("kept", "j1", "Translation", "succeeded", "jobs/j1.json")


def test_an_answer_names_each_job() -> None:
    """With what became of it and where it is kept."""
    answer = http.answer([KEPT])
    assert answer["isBase64Encoded"] is False
    assert answer["headers"] == {"Content-Type": "application/json"}
    assert json.loads(answer["body"]) == {
        "jobs": [
            {
                "job_id": "j1",
                "tag": "Translation",
                "outcome": "succeeded",
                "status": "kept",
                "key": "jobs/j1.json",
            }
        ]
    }


@pytest.mark.parametrize(
    ("statuses", "status"),
    [
        (["kept"], 200),
        (["kept", "duplicate", "ignored"], 200),
        (["kept", "dead_letter"], 202),
        (["kept", "rejected", "dead_letter"], 403),
        (["dead_letter", "retry_later", "rejected", "kept"], 503),
    ],
)
def test_the_worst_of_the_jobs_decides_the_status(statuses: list[Any], status: int) -> None:
    """503 with Retry-After: the whole callback must come again."""
    answer = http.answer([JobResult(job_status, "j1") for job_status in statuses])
    assert answer["statusCode"] == status
    assert ("Retry-After" in answer["headers"]) == (status == 503)


def test_a_callback_without_a_job_is_answered_with_its_reason() -> None:
    """There is no job to name."""
    answer = http.answer([JobResult("dead_letter", reason="why")])
    assert json.loads(answer["body"]) == {"status": "dead_letter", "reason": "why"}


@pytest.mark.parametrize(
    ("more", "address"),
    [
        ({}, "111.206.96.145"),
        ({"requestContext": {"sourceIp": "36.159.237.104"}}, "36.159.237.104"),
        ({"headers": {"X-Scf-Remote-Addr": "36.159.237.104:4711"}}, "36.159.237.104"),
        ({"headers": {"x-scf-remote-addr": "[2001:db8::1]:4711"}}, "2001:db8::1"),
        ({"headers": {"x-scf-remote-addr": " 2001:db8::1 "}}, "2001:db8::1"),
        ({"headers": {"x-scf-remote-addr": "fe80::1%\x1b[31m"}}, None),
        ({"headers": {"x-scf-remote-addr": "a-name.example"}}, None),
        ({"headers": {"x-scf-remote-addr": "1" * 5000}}, None),
        ({"headers": {"x-scf-remote-addr": "１２７.0.0.1"}}, None),
        ({"headers": {}, "requestContext": {"sourceIp": ["1.2.3.4"]}}, None),
        ({"headers": None, "requestContext": "x"}, None),
    ],
)
def test_a_refused_request_names_the_address_that_it_came_from(
    more: dict[str, Any], address: str | None
) -> None:
    """Only an address that is written as one; the caller can write the rest."""
    for event in (DOCUMENTED | more, DOCUMENTED | more | {"path": "/x"}):
        with pytest.raises(RefusedError) as caught:
            http.read(event, GUARDED)
        assert caught.value.evidence.get("client_address") == address


def test_base64_with_blanks_costs_no_more_than_base64() -> None:
    """280 MB for a body of 5 MB, when each piece between blanks became an object."""
    body = "P " * 2_500_000 + "PGEv"
    tracemalloc.start()
    try:
        (delivery,) = http.read(DOCUMENTED | {"body": body, "isBase64Encoded": True}, GENEROUS)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert len(delivery.body) == 1_875_003
    assert peak < 30_000_000


def test_a_decoded_body_is_as_long_as_its_text() -> None:
    """Two million characters of Chinese were 12 MB of escapes, and refused for it."""
    (delivery,) = http.read(DOCUMENTED | {"body": {"a": "译" * 1_500_000}}, GENEROUS)
    assert len(delivery.body) < 4_500_020


@pytest.mark.parametrize(
    "name", ["j", "x" * 5_000, "译" * 5_000, "\U0001f600" * 5_000, "\0" * 5_000]
)
def test_an_answer_is_no_longer_than_a_line_of_the_log(name: str) -> None:
    """SCF writes it there. It names the first jobs, and says how many are left out."""
    results = [JobResult("kept", name, name, "succeeded", name) for _ in range(10_000)]
    answer = http.answer(results)
    assert answer["statusCode"] == 200
    assert len(answer["body"]) < http.MAX_ANSWER_BYTES + 100
    answered = json.loads(answer["body"])
    assert len(answered["jobs"]) + answered["omitted"] == 10_000
    assert answered["jobs"]
