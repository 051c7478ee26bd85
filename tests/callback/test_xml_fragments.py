"""xml_fragments.py: a callback without <Response> around it, as page 460/80039 prints one."""

from __future__ import annotations

import pytest

from handler.callback.payload import Limits, parse
from handler.callback.xml_fragments import with_root
from handler.errors import PayloadError

EVENT = b"<EventName>WorkflowFinish</EventName>"
RUN = b"<WorkflowExecution><RunId>i1</RunId></WorkflowExecution>"
PROLOG = b'<?xml version="1.0" encoding="utf-8"?>'
TREE = {"Response": {"EventName": "WorkflowFinish", "WorkflowExecution": {"RunId": "i1"}}}


@pytest.mark.parametrize(
    "body",
    [
        EVENT + RUN,
        PROLOG + b"\n" + EVENT + b"\n" + RUN + b"\n",
        b"\xef\xbb\xbf  " + PROLOG + EVENT + b"<!-- x -->" + RUN,
    ],
)
def test_it_is_read_as_if_it_had_its_root(body: bytes) -> None:
    """The prolog stays before it."""
    assert parse(body, Limits()) == (TREE, "xml")


def test_jobs_side_by_side_are_read_too() -> None:
    """In whichever order."""
    tree, _ = parse(b"<JobsDetail>1</JobsDetail><JobsDetail>2</JobsDetail>", Limits())
    assert tree == {"Response": {"JobsDetail": ["1", "2"]}}


@pytest.mark.parametrize(
    "body",
    [
        b"<a/><b/>",
        b"<Response>" + RUN + b"</Response><Response/>",
        EVENT + b"text",
        EVENT + RUN + b"text",
        EVENT + b"</Response><Response>" + RUN,
        EVENT + b"<open>",
        EVENT + b"<a>&nope;</a>",
    ],
)
def test_what_is_broken_otherwise_stays_broken(body: bytes) -> None:
    """Nothing is guessed."""
    with pytest.raises(PayloadError) as caught:
        parse(body, Limits())
    assert caught.value.reason == "xml_invalid"


def test_a_document_type_behind_it_is_refused_all_the_same() -> None:
    """Entities never get in."""
    for doctype in (b"<!DOCTYPE a>", b'<!DOCTYPE a [<!ENTITY x "y">]>'):
        with pytest.raises(PayloadError):
            parse(EVENT + doctype + RUN, Limits())
        with pytest.raises(PayloadError) as caught:
            parse(doctype + EVENT + RUN, Limits())
        assert caught.value.reason == "dtd_forbidden"


def test_the_limits_are_those_of_a_body_with_its_root() -> None:
    """The root that is put around it counts."""
    body = EVENT + RUN
    rooted = b"<Response>" + body + b"</Response>"
    for limits in (Limits(max_nodes=4), Limits(max_depth=3)):
        assert parse(body, limits)[0] == parse(rooted, limits)[0]
    for limits, reason in (
        (Limits(max_nodes=3), "too_many_nodes"),
        (Limits(max_depth=2), "too_deep"),
    ):
        with pytest.raises(PayloadError) as caught:
            parse(body, limits)
        assert caught.value.reason == reason


def test_only_what_begins_as_a_response_does_gets_a_root() -> None:
    """Another element, or a root that is there, stays as it is."""
    assert with_root(EVENT + RUN) == b"<Response>" + EVENT + RUN + b"</Response>"
    assert with_root(b"<Other/>" + RUN) is None
    assert with_root(b"<Response>" + RUN + b"</Response><Response/>") is None


def test_a_forbidden_reference_in_a_rootless_body_is_read_too() -> None:
    """Before the second element, and in it."""
    for name, key in ((b"a&#8;b", b"c"), (b"c", b"a&#8;b")):
        body = b"<EventName>" + name + b"</EventName><Workflow>" + key + b"</Workflow>"
        texts = [part.replace(b"&#8;", b"\b").decode() for part in (name, key)]
        tree, _ = parse(body, Limits())
        assert tree == {"Response": {"EventName": texts[0], "Workflow": texts[1]}}
