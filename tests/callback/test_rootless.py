"""rootless.py: a callback without <Response> around it, as page 460/80039 prints one."""

from __future__ import annotations

import pytest

from handler.callback.payload import Limits, parse
from handler.callback.rootless import with_root
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


def test_only_that_fault_is_repaired() -> None:
    """expat's code 9: junk after the document's element."""
    assert with_root(EVENT + RUN, 9) == b"<Response>" + EVENT + RUN + b"</Response>"
    assert with_root(EVENT + RUN, 4) is None
    assert with_root(EVENT + RUN, None) is None
