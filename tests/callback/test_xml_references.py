"""xml_references.py: references to characters that XML forbids, read as JSON's twin is."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handler.callback.payload import Limits, parse
from handler.callback.xml_references import with_placeholders
from handler.errors import PayloadError

LIMITS = Limits()


def from_xml(content: str) -> object:
    """The text of an element with this content."""
    tree, _ = parse(f"<a>{content}</a>".encode(), LIMITS)
    assert isinstance(tree, dict)
    return tree["a"]


def from_json(content: str) -> object:
    """The text that JSON gives for a string with this content."""
    tree, _ = parse(f'{{"a":"{content}"}}'.encode(), LIMITS)
    assert isinstance(tree, dict)
    return tree["a"]


@pytest.mark.parametrize(
    ("xml", "twin"),
    [
        ("a&#8;b", r"a\\u0008b".replace("\\\\", "\\")),
        ("&#0;", r"\u0000"),
        ("&#x1f;&#x1F;&#031;", r"\u001f\u001f\u001f"),
        ("&#xFFFE;&#65535;", r"\ufffe\uffff"),
        ("&#xD83D;&#xDE00;", r"\ud83d\ude00"),
        ("&#55357;&#56832;", r"\ud83d\ude00"),
        ("&#xD83D;", r"\ud83d"),
        ("&#xDE00;x&#xD83D;", r"\ude00x\ud83d"),
        ("&#xD83D;&#8;&#xDE00;", r"\ud83d\u0008\ude00"),
        ("&#8;&#38;&#60;&#62;&#9;&#10;", r"\u0008&<>\t\n"),
        ("&#8;&amp;&lt;", r"\u0008&<"),
        ("&#8;&#x8BD1;&#128512;", r"\u0008译😀"),
        ("&#8;\ue000", r"\u0008" + "\ue000"),
        (
            "&#8;" + "".join(map(chr, range(0xE000, 0xE040))),
            r"\u0008" + "".join(map(chr, range(0xE000, 0xE040))),
        ),
    ],
)
def test_a_reference_gives_what_the_twin_in_json_gives(xml: str, twin: str) -> None:
    """The same text, so that both callbacks make one record."""
    assert from_xml(xml) == from_json(twin)


def test_attributes_are_read_so_too() -> None:
    """They are leaves of the tree."""
    assert parse(b'<a k="&#8;"/>', LIMITS)[0] == {"a": {"@k": "\b"}}


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("<![CDATA[&#8;]]>&#8;", "&#8;\b"),
        ("<!-- &#8; -->&#8;", "\b"),
        ("<![CDATA[<!--]]>&#8;<![CDATA[-->]]>", "<!--\b-->"),
        ("<!-- <![CDATA[ -->&#8;", "\b"),
    ],
)
def test_a_reference_in_a_section_of_text_is_text(content: str, text: str) -> None:
    """As it is without any forbidden one."""
    assert from_xml(content) == text


@pytest.mark.parametrize(
    "content",
    [
        "&#8;&",
        "&#8;&nope;",
        "&#8;<b>",
        "&#x110000;",
        "&#8;&#x110000;",
        "&#x;",
        "&#;",
        "&#8",
        "&#99999999999999999999;",
        "\x08",
        "&#8;" + "".join(map(chr, range(0xE000, 0xE080))),
    ],
)
def test_what_is_broken_otherwise_stays_broken(content: str) -> None:
    """A raw & above all, and a reference to nothing."""
    with pytest.raises(PayloadError) as caught:
        from_xml(content)
    assert caught.value.reason == "xml_invalid"


def test_more_references_than_a_name_holds_are_not_repaired() -> None:
    """Each of them costs what a node costs."""
    assert from_xml("&#8;" * 10_000) == "\b" * 10_000
    assert with_placeholders(b"<a>" + b"&#8;" * 10_001 + b"</a>") is None


def test_placeholders_are_none_of_the_characters_of_the_body() -> None:
    """None is left where the body holds them all."""
    held = "".join(map(chr, range(0xE000, 0xE080)))
    assert with_placeholders(f"<a>{held}&#8;</a>".encode()) is None
    readable = with_placeholders("<a>\ue000&#8;</a>".encode())
    assert readable
    assert 0xE000 not in readable.characters


@given(
    st.lists(
        st.sampled_from([0, 8, 9, 10, 13, 31, 38, 60, 65, 0xD83D, 0xDE00, 0xE000, 0xFFFE, 0x8BD1])
    )
)
def test_any_run_of_references_gives_what_json_gives(codes: list[int]) -> None:
    """Whichever of them XML forbids."""
    twin = "".join(f"\\u{code:04x}" for code in codes)
    assert from_xml("".join(f"&#{code};" for code in codes)) == from_json(twin)


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=20))
def test_any_text_is_read_the_same_from_both(text: str) -> None:
    """Written in XML as references throughout."""
    assert from_xml("".join(f"&#{ord(character)};" for character in text)) == text
    tree, _ = parse(json.dumps({"a": text}).encode(), LIMITS)
    assert tree == {"a": text}
