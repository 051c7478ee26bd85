"""payload.py: bytes to a tree, within limits."""

from __future__ import annotations

import contextlib
import json
import tracemalloc
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handler.callback.payload import Limits, parse
from handler.errors import PayloadError

LIMITS = Limits()


def reason(body: bytes, limits: Limits = LIMITS) -> str:
    """Why a body is refused."""
    with pytest.raises(PayloadError) as caught:
        parse(body, limits)
    assert caught.value.explanation
    return caught.value.reason


@pytest.mark.parametrize(
    ("body", "tree", "form"),
    [
        (b"<a>1</a>", {"a": "1"}, "xml"),
        (b"\xef\xbb\xbf<a>1</a>", {"a": "1"}, "xml"),
        (b"\r\n <?xml version='1.0' encoding='UTF-8'?><a>1</a>", {"a": "1"}, "xml"),
        (b"<a><b/><b>x</b><b>y</b></a>", {"a": {"b": ["", "x", "y"]}}, "xml"),
        (b"<a><b> x </b></a>", {"a": {"b": " x "}}, "xml"),
        (b'<a k="v">t</a>', {"a": {"@k": "v", "#text": "t"}}, "xml"),
        (b"<a><![CDATA[<b>&]]></a>", {"a": "<b>&"}, "xml"),
        ("<a>译</a>".encode(), {"a": "译"}, "xml"),
        ("<?xml version='1.0' encoding=\"utf8\"?><a>译</a>".encode(), {"a": "译"}, "xml"),
        (b"<?xml version='1.0' encoding='US-ASCII'?><a>1</a>", {"a": "1"}, "xml"),
        (b"<?xml version='1.0' encoding='ascii'?><a>1</a>", {"a": "1"}, "xml"),
        (b'{"a": 0}', {"a": "0"}, "json"),
        (b' \n[{"a": "0"}]', [{"a": "0"}], "json"),
        (b'\xef\xbb\xbf{"a": 1.50}', {"a": "1.50"}, "json"),
        (b'{"a": true, "b": false, "c": null}', {"a": "true", "b": "false", "c": None}, "json"),
        (b'{"a": 1e400}', {"a": "1e400"}, "json"),
    ],
)
def test_the_first_byte_decides_and_leaves_are_the_text_that_was_sent(
    body: bytes, tree: Any, form: str
) -> None:
    """XML and JSON become the same plain tree, whatever the Content-Type would say."""
    assert parse(body, LIMITS) == (tree, form)


@pytest.mark.parametrize(
    ("body", "tree"),
    [
        (b'{"a": [1, 2,],}', {"a": ["1", "2"]}),
        (b'{"a": "x,]" , \n}', {"a": "x,]"}),
        (b'{"a": "\\\\",}', {"a": "\\"}),
        (b'{"a": "\\",}",}', {"a": '",}'}),
        (b'["a",]', ["a"]),
        (b'{"a": {},}', {"a": {}}),
        (b'["a" ,]', ["a"]),
        (b'[["a",],{"b":1}]', [["a"], {"b": "1"}]),
    ],
)
def test_trailing_commas_are_repaired(body: bytes, tree: Any) -> None:
    """CI's own documents print trailing commas; a comma inside a string is none."""
    assert parse(body, LIMITS) == (tree, "json")


@pytest.mark.parametrize(
    "body",
    [
        b"[,]",
        b"{,}",
        b'{"a":1,,}',
        b'{"a":,}',
        b"[1,,]",
        b"[[],,]",
        b'["a",,]',
        b'["a", [ ,]]',
        b'{"a":{,}}',
        b'{"a" 1,}',
        b"[1,",
        b'{"a":1',
        b'{"a":1}}',
        b"[1 2,]",
        b'{"a":NaN}',
        b'{"a":-Infinity}',
        b"{\"a\":'b',}",
        b'{"a":1,/**/}',
        b'["a\n",]',
        b'{"a":01,}',
        b"[-,]",
        b'["\\x",]',
    ],
)
def test_nothing_else_of_broken_json_is_repaired(body: bytes) -> None:
    """A missing value, a comment or a wrong quote is refused, not guessed at."""
    assert reason(body) == "json_invalid"


json_values = st.recursive(
    st.text(st.characters(codec="utf-8"), max_size=8) | st.integers().map(str),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4)
    ),
    max_leaves=20,
)


@given(st.lists(json_values, max_size=4), st.sampled_from(["", " ", "\n\t"]))
def test_repair_gives_what_the_strict_text_gives(value: list[Any], blank: str) -> None:
    """A comma put behind the last value of every list and object changes nothing."""
    clean = [_without_surrogates(item) for item in value]
    strict = json.dumps(clean, ensure_ascii=False)
    assert parse(_with_trailing_commas(clean, blank).encode(), LIMITS) == parse(
        strict.encode(), LIMITS
    )


def _without_surrogates(value: Any) -> Any:
    return json.loads(json.dumps(value).encode("utf-8", "replace"))


def _with_trailing_commas(value: Any, blank: str) -> str:
    if isinstance(value, list):
        parts = [_with_trailing_commas(item, blank) for item in value]
    elif isinstance(value, dict):
        parts = [
            f"{json.dumps(name)}:{_with_trailing_commas(item, blank)}"
            for name, item in value.items()
        ]
    else:
        return json.dumps(value)
    opening, closing = "[]" if isinstance(value, list) else "{}"
    return opening + ",".join(parts) + (f"{blank},{blank}" if parts else "") + closing


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"", "not_xml_or_json"),
        (b"hello", "not_xml_or_json"),
        (b"\x0c<a/>", "not_xml_or_json"),  # a blank to Python, none to XML and JSON
        (b"\xff\xfe<\x00a\x00", "not_xml_or_json"),
        (b"<a><b></a>", "xml_invalid"),
        (b"<a>&nope;</a>", "xml_invalid"),
        (b"<a/><b/>", "xml_invalid"),
        (b"<a>\xff</a>", "xml_invalid"),
        (b"<>" + b"x" * 70_000, "xml_invalid"),
        (b"<!DOCTYPE a><a/>", "dtd_forbidden"),
        (b'<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>', "dtd_forbidden"),
        (b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>', "dtd_forbidden"),
        (b"<?xml version='1.0' encoding='gbk'?><a/>", "encoding"),
        (b"<?xml version='1.0' encoding='x-unknown'?><a/>", "encoding"),
        (b'{"a":"\xff"}', "encoding"),
        (b"<a>" * 100_000, "too_deep"),
        (b"[" * 70_000, "too_deep"),
        (b'{"a":' * 70 + b"1" + b"}" * 70, "too_deep"),
        (b"<a>" + b"<b/>" * 200_001 + b"</a>", "too_many_nodes"),
        (b"<" * 500_000, "too_many_nodes"),
        (b"[" + b"0," * 250_000 + b"0]", "too_many_nodes"),
        (b'{"a":' + b"1" * 401 + b"}", "number_too_long"),
        (b'{"a":0.' + b"1" * 401 + b"}", "number_too_long"),
        (b"<a " + b" ".join(b'x%d=">"' % i for i in range(20_000)) + b"/>", "tag_too_long"),
        (b'<a b="' + b"x" * 70_000 + b'"/>', "tag_too_long"),
        (b"<a " + b"x" * 70_000, "tag_too_long"),
        (b"<a>" + b"x" * 70_000 + b"<b " + b"x" * 70_000, "tag_too_long"),
        (b" " * (LIMITS.max_bytes + 1), "too_long"),
        (b"<a><" + b"x" * 1_025 + b"/></a>", "name_too_long"),
        (b"<a " + b"x" * 1_025 + b'=""/>', "name_too_long"),
        (b'{"a":[{"' + b"x" * 1_025 + b'":1}]}', "name_too_long"),
    ],
)
def test_what_is_no_callback_of_a_sane_size_is_refused_with_its_reason(
    body: bytes, why: str
) -> None:
    """Each way to be unreadable has a stable name."""
    assert reason(body) == why


def test_limits_are_inclusive() -> None:
    """What is exactly at a limit is read."""
    few = LIMITS._replace(max_nodes=5, max_depth=3)
    assert parse(b"<a><b><c/></b><d/><e/></a>", few)
    assert parse(b'{"a":{"b":{"c":1}},"d":2}', few)
    assert reason(b"<a><b><c/></b><d/><e/><f/></a>", few) == "too_many_nodes"
    assert reason(b"<a><b><c><d/></c></b></a>", few) == "too_deep"
    assert reason(b'{"a":[[[1]]]}', few) == "too_deep"
    assert reason(b'{"a":1,"b":2,"c":3,"d":4,"e":5}', few) == "too_many_nodes"
    assert parse(b'{"a":' + b"1" * 400 + b"}", few)
    assert parse(b'[[],",,"]', LIMITS._replace(max_nodes=3))
    assert parse(b"<a/>", LIMITS._replace(max_bytes=4))
    name = "x" * 1_024
    assert parse(f'<{name} {name}=""/>'.encode(), LIMITS)[0] == {name: {f"@{name}": ""}}
    assert parse(f'{{"{name}":1}}'.encode(), LIMITS)[0] == {name: "1"}


def test_markup_that_makes_no_nodes_is_bounded_as_well() -> None:
    """A prolog and a comment are free; many of them cost what nodes cost."""
    two = LIMITS._replace(max_nodes=2)
    assert parse(b"<?xml version='1.0'?><!-- 1 --><a><b></b></a>", two)
    assert reason(b"<?xml version='1.0'?><!-- 1 --><!-- 2 --><a><b></b></a>", two) == (
        "too_many_nodes"
    )


def test_attributes_are_nodes() -> None:
    """As they are leaves of the tree."""
    body = b"<a b='1' c='2' d='3'><e/></a>"
    assert parse(body, LIMITS._replace(max_nodes=5))
    assert reason(body, LIMITS._replace(max_nodes=4)) == "too_many_nodes"


def test_a_tag_is_measured_up_to_its_end() -> None:
    """Its closing bracket aside; the limit is inclusive here too."""
    short = LIMITS._replace(max_tag_bytes=12)
    assert parse(b'<a bc="6789">text</a>', short)
    assert reason(b'<a bc="67890">text</a>', short) == "tag_too_long"
    assert reason(b'<a bc="6789" d="">text</a>', short) == "tag_too_long"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"x" * 501, "501 bytes, at most 500 are read"),
        (b"x", "the first byte is neither '<' nor '{' nor '['"),
        (
            b"<?xml version='1.0' encoding='gbk'?><a/>",
            "the XML declares another encoding than UTF-8",
        ),
        (b"<!DOCTYPE a><a/>", "the XML holds a DTDForbidden"),
        (b"<" * 99, "more than 9 nodes"),
        (b"<a>" + b"<b/>" * 9 + b"</a>", "more than 9 nodes"),
        (b"<a><b><c><d/></c></b></a>", "nested deeper than 3"),
        (b"<a " + b"x" * 20, "a tag of more than 20 bytes"),
        (b"<a>\n<b></a>", "not well-formed XML: mismatched tag: line 2, column 5"),
        (b'["\xff"]', "not UTF-8 at byte 2"),
        (b"[" + b"0," * 9 + b"0]", "more than 9 nodes"),
        (b"[" + b"0," * 8 + b"0]", "more than 9 nodes"),
        (b"[[[[0]]]]", "nested deeper than 3"),
        (b'{"a":' + b"1" * 401 + b"}", "a number of more than 400 digits"),
        (b'{"abcdefghijk":1}', "a name of more than 10 characters"),
        (b"<abcdefghijk/>", "a name of more than 10 characters"),
        (b"[NaN]", "NaN is not JSON"),
        (b'{"a" 1}', "not valid JSON: Expecting ':' delimiter: line 1 column 6 (char 5)"),
        (b'{"a" 1,}', "not valid JSON: Expecting ':' delimiter: line 1 column 6 (char 5)"),
        (b"[,]", "not valid JSON: Expecting value: line 1 column 2 (char 1)"),
    ],
)
def test_an_explanation_says_what_was_met_and_what_is_allowed(body: bytes, said: str) -> None:
    """To whoever looks at the dead letter."""
    with pytest.raises(PayloadError) as caught:
        parse(body, Limits(500, max_nodes=9, max_depth=3, max_tag_bytes=20, max_name_chars=10))
    assert caught.value.explanation == said


def test_what_overflows_the_parser_is_too_deep_as_well() -> None:
    """It is told apart from what goes over the limit."""
    with pytest.raises(PayloadError) as caught:
        parse(b"[" * 70_000, LIMITS)
    assert caught.value.explanation == "nested too deep to be read"


def test_names_are_kept_as_they_were_sent() -> None:
    """With their prefix: the address of a namespace takes the place of none."""
    body = b'<a:b xmlns:a="urn:x" a:c="1"><a:d>2</a:d><d>3</d><e:f/></a:b>'
    tree = {"a:b": {"@xmlns:a": "urn:x", "@a:c": "1", "a:d": "2", "d": "3", "e:f": ""}}
    assert parse(body, LIMITS)[0] == tree


def test_a_default_namespace_leaves_the_names_alone() -> None:
    """So a callback that declares one is read as any other."""
    tree, _ = parse(b'<Response xmlns="urn:x"><JobsDetail/></Response>', LIMITS)
    assert tree == {"Response": {"@xmlns": "urn:x", "JobsDetail": ""}}


@pytest.mark.parametrize(
    "unit", ["<a:b%d/>", '<x a:b%d=""/>', "<a:b/><!-- %d -->"], ids=["names", "attributes", "same"]
)
def test_a_long_namespace_address_is_held_once(unit: str) -> None:
    """Put in the place of 2,000 prefixes it would take up 120 MB."""
    inner = "".join(unit % number for number in range(2_000))
    body = f'<Response xmlns:a="{"u" * 60_000}">{inner}</Response>'.encode()
    parse(body, LIMITS)
    tracemalloc.start()
    tree, _ = parse(body, LIMITS)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(json.dumps(tree)) < 2 * len(body)
    assert peak < 20 * len(body)


def test_commas_in_text_are_no_nodes() -> None:
    """A long text full of commas and brackets is one leaf."""
    text = ",[{" * 100_000
    assert parse(json.dumps([text]).encode(), LIMITS) == ([text], "json")


def test_long_text_is_no_long_tag() -> None:
    """Only a tag is bounded, not the text behind it, nor a comment or CDATA."""
    text = "x" * 100_000
    body = f"<!--{text}--><a><b k='v'>{text}</b><![CDATA[{text}]]></a>".encode()
    tree, _ = parse(body, LIMITS)
    assert tree == {"a": {"b": {"@k": "v", "#text": text}, "#text": text}}


def test_lone_surrogates_become_the_replacement_character() -> None:
    """They are no characters and could not be stored; a pair of them is one and stays."""
    tree, _ = parse(rb'{"\ud800": "x\udfff", "ok": "\ud83d\ude00", "l": ["\uD800"]}', LIMITS)
    assert tree == {"\ufffd": "x\ufffd", "ok": "\U0001f600", "l": ["\ufffd"]}
    assert parse(rb'{"a": {"\ud800": null}}', LIMITS)[0] == {"a": {"\ufffd": None}}
    assert parse(rb'["\uDFFF"]', LIMITS)[0] == ["\ufffd"]


def test_no_explanation_holds_the_body() -> None:
    """What is told of a refused body is safe to log and to answer."""
    for body in (b'{"a": "s3cret" x}', b"<a>s3cret", b"s3cret"):
        with pytest.raises(PayloadError) as caught:
            parse(body, LIMITS)
        assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    "body",
    [
        b"[" + b"[]," * 1_500_000 + b"[]]",
        b"<a>" + b"<b/>" * 1_200_000 + b"</a>",
        b"[" + b"0," * 2_400_000 + b"0]",
        b"[" + (b"[" * 500 + b"]" * 500 + b",") * 5_000 + b"0]",
        b"[" + (b'{"":' * 500 + b"0" + b"}" * 500 + b",") * 500 + b"0]",
        b'{"a":[' + b'"",' * 400_000 + b"]}",
        b'["' + b"\\n" * 2_400_000 + b'",]',
        b"<a " + b" ".join(b"x%d='1'" % i for i in range(200_000)) + b"/>",
    ],
    ids=[
        "short lists",
        "elements",
        "numbers",
        "deep lists",
        "deep objects",
        "short strings",
        "escapes",
        "attributes",
    ],
)
def test_memory_stays_within_a_multiple_of_the_body(body: bytes) -> None:
    """No body costs more than six times its own size before it is read or refused."""
    for first in (
        b'{"a": [""]}',
        b"<a>b</a>",
    ):  # what is imported and compiled once is no cost of it
        with contextlib.suppress(PayloadError):
            parse(first, LIMITS)
    tracemalloc.start()
    with contextlib.suppress(PayloadError):  # read or refused: the cost is what is looked at
        parse(body, LIMITS._replace(max_bytes=len(body)))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 6 * len(body)
