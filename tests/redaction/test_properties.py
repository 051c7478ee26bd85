"""Whatever a body looks like: no secret that is planted in it survives, and the time is linear."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote
from xml.sax.saxutils import escape, quoteattr

from hypothesis import given
from hypothesis import strategies as st

from handler.callback.redaction import SECRET_NAMES
from handler.redaction.escapes import Decoded
from handler.redaction.text import redact, redact_body

NAMES = st.sampled_from(
    (*sorted(SECRET_NAMES), "clientSecret", "access-key", "api_key", "sessionToken", "aesIv")
)
CORE = "q0x7z"
"""In each secret, several times: nothing else holds it."""

SPICE = st.text(st.sampled_from("\"'<>&\\,:;={}[]() \n%/#u"), max_size=6)
SECRETS = st.lists(SPICE, min_size=1, max_size=4).map(lambda parts: CORE + CORE.join(parts) + CORE)
PLAIN = st.text(st.sampled_from("abc.ABC 0_-/\"'<>&\\"), max_size=12)


def is_hidden(shown: str) -> bool:
    """Whether nothing of a secret is left, however one reads it."""
    return CORE not in shown and CORE not in Decoded(shown).text.replace("\x00", "")


# --- names, a character at a time -----------------------------------------------------------

JSON_ESCAPES = ("{}", "\\u{:04x}", "\\u{:04X}")
XML_ESCAPES = ("{}", "&#{};", "&#0{};", "&#x{:x};", "&#X{:X};")
ALL_ESCAPES = (*JSON_ESCAPES, *XML_ESCAPES, "%{:02X}", "%{:02x}", "\\x{:02x}", "\\\\u{:04x}",
               "&amp;#{};", "%25{:02X}", "\\u0026#{};", "&#92;u{:04x}", "%5Cu{:04x}")  # fmt: skip


@st.composite
def escaped(draw: st.DrawFn, text: str, kinds: tuple[str, ...]) -> str:
    """The text with some of its characters written as escapes."""
    chosen = [draw(st.sampled_from(kinds)) for _ in text]
    return "".join(
        character if kind == "{}" else kind.format(ord(character))
        for kind, character in zip(chosen, text, strict=True)
    )


# --- bodies ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Node:
    """A member of a body. value: a text, or nodes below it."""

    name: str
    value: str | tuple[Node, ...]


@st.composite
def nodes(draw: st.DrawFn, depth: int = 3) -> tuple[Node, ...]:
    """Nodes of all kinds, secret ones among them, some of these with nodes below them."""
    drawn = []
    for _ in range(draw(st.integers(1, 4))):
        if draw(st.booleans()):
            value: str | tuple[Node, ...] = draw(SECRETS)
            if draw(st.integers(0, 5)) == 0:
                value = (Node("Name", draw(SECRETS)), Node(draw(NAMES), draw(SECRETS)))
            drawn.append(Node(draw(NAMES), value))
        elif depth and draw(st.booleans()):
            drawn.append(Node("Operation", draw(nodes(depth - 1))))
        else:
            drawn.append(Node("Object", draw(PLAIN)))
    return tuple(drawn)


def as_json(value: str | tuple[Node, ...]) -> Any:
    """As JSON has it; of nodes with one name a list."""
    if isinstance(value, str):
        return value
    members: dict[str, Any] = {}
    for node in value:
        members.setdefault(node.name, []).append(as_json(node.value))
    return {
        name: contents if len(contents) > 1 else contents[0] for name, contents in members.items()
    }


@st.composite
def json_bodies(draw: st.DrawFn) -> str:
    """A body of JSON: indented or not, ASCII or not, names with escapes."""
    text = json.dumps(
        as_json(draw(nodes())),
        indent=draw(st.sampled_from((None, 1))),
        ensure_ascii=draw(st.booleans()),
    )
    for name in sorted(SECRET_NAMES):
        if draw(st.integers(0, 3)) == 0:
            text = text.replace(f'"{name}"', f'"{draw(escaped(name, JSON_ESCAPES))}"')
    return text


@st.composite
def xml_bodies(draw: st.DrawFn) -> str:
    """A body of XML: texts, CDATA sections, comments, attributes."""

    def content(value: str | tuple[Node, ...]) -> str:
        if not isinstance(value, str):
            return "".join(map(element, value))
        if draw(st.booleans()):
            return escape(value)
        return "<![CDATA[" + value.replace("]]>", "]]]]><![CDATA[>") + "]]>"

    def element(node: Node) -> str:
        name = draw(st.sampled_from(("", "n:"))) + node.name.replace(" ", "_")
        blank = draw(st.sampled_from(("", " ", "\n")))
        if isinstance(node.value, str) and draw(st.integers(0, 3)) == 0:
            return f"<Param {name}{blank}={blank}{quoteattr(node.value)}{blank}/>"
        comment = draw(st.sampled_from(("", "<!-- </x> ' -->")))
        return f"<{name}{blank}>{comment}{content(node.value)}</{name}{blank}>"

    return f"<Response>{''.join(map(element, draw(nodes())))}</Response>"


@st.composite
def form_bodies(draw: st.DrawFn) -> str:
    """Parameters, as of a query or a form."""
    parameters = [(draw(NAMES), draw(SECRETS)) for _ in range(draw(st.integers(1, 3)))]
    pairs = [
        f"{draw(escaped(name, ('{}', '%{:02x}')))}={quote(value)}" for name, value in parameters
    ]
    return "&".join(("a=b", *pairs, "c=d"))


WRAPPINGS: tuple[Callable[[str], str], ...] = (
    lambda text: json.dumps({"Body": text, "Object": "a"}),
    lambda text: json.dumps(text, ensure_ascii=False),
    lambda text: f"<Body>{escape(text)}</Body><Object>a</Object>",
    lambda text: f"<Body text={quoteattr(text)} b='c'/>",
    lambda text: f"a=b&body={quote(text)}&c=d",
    lambda text: f"error: {text}",
    lambda text: text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"),
)
"""A body within another one, as in a message that quotes it."""

BODIES = st.one_of(json_bodies(), xml_bodies(), form_bodies())


@given(body=BODIES, wrappings=st.lists(st.sampled_from(WRAPPINGS), max_size=2))
def test_no_planted_secret_survives(body: str, wrappings: list[Callable[[str], str]]) -> None:
    """Whole bodies, and bodies within others."""
    for wrap in wrappings:
        body = wrap(body)

    assert is_hidden(redact(body))


@given(
    body=BODIES,
    wrappings=st.lists(st.sampled_from(WRAPPINGS), max_size=1),
    end=st.integers(0, 2_000),
    junk=st.sampled_from(("", "\x00", "\ufeff", "}{", "<", "kept ", "]]>", "\\")),
)
def test_no_planted_secret_survives_in_a_body_that_is_cut(
    body: str, wrappings: list[Callable[[str], str]], end: int, junk: str
) -> None:
    """At the end anywhere; with what does not belong to it in front."""
    for wrap in wrappings:
        body = wrap(body)

    assert is_hidden(redact(junk + body[:end]))


@given(
    name=NAMES.flatmap(lambda name: escaped(name, ALL_ESCAPES)),
    form=st.sampled_from(
        ('"{}":"{}"', '"{}" : {}\n', "<{}>{}</{}>", "&lt;{}&gt;{}&lt;/{}&gt;", "{}={}", "{}: {}")
    ),
)
def test_no_name_is_missed_for_its_escapes(name: str, form: str) -> None:
    """Each character in a way of its own."""
    text = form.replace("{}", name, 1).replace("{}", CORE, 1).replace("{}", name)

    assert is_hidden(redact(text))


@given(
    name=NAMES,
    form=st.sampled_from(
        (
            '{"a":"b","NAME":"q0x7z","c":"d"}',
            '{"a":{"NAME":["q0x7z","q0x7z"]},"c":"d"}',
            "<a><b>c</b><NAME>q0x7z</NAME><d>e</d></a>",
            '<a b="c" NAME="q0x7z" d="e">f</a>',
            "a=b&NAME=q0x7z&c=d",
        )
    ),
    data=st.data(),
)
def test_no_secret_survives_the_loss_or_change_of_a_sign(
    name: str, form: str, data: st.DataObject
) -> None:
    """A sign of the syntax is left out, doubled or another one. (Of a form the signs around the
    name stay: without them there is no name.)"""
    own = form.find("&NAME=q")
    signs = [at for at, sign in enumerate(form) if not sign.isalnum() and at not in (own, own + 5)]
    at = data.draw(st.sampled_from(signs))
    instead = data.draw(st.sampled_from(("", form[at] * 2, "\n", '"', "<", ">", "\\", " ")))
    broken = form[:at] + instead + form[at + 1 :]

    assert is_hidden(redact(broken.replace("NAME", name)))


@given(text=st.text(max_size=200), secrets=st.lists(st.text(min_size=3, max_size=20), max_size=4))
def test_any_text_can_be_redacted(text: str, secrets: list[str]) -> None:
    """Nothing is raised; known secrets go; what was redacted stays so."""
    shown = redact(text, secrets)

    # A secret may be a part of [redacted], or be made by putting its ends together.
    left = shown.replace("[redacted]", "\ue000")
    assert not any(
        secret in text and secret in left for secret in secrets if "\ue000" not in secret
    )


@given(body=st.binary(max_size=200))
def test_any_body_can_be_redacted(body: bytes) -> None:
    """Nothing is raised, and what comes can be written as UTF-8 or as escapes."""
    assert isinstance(redact_body(body), str)


@given(text=st.text(st.sampled_from("abc \\u0041&#65;%41ampltgt\x00\n\"'"), max_size=80))
def test_each_decoded_character_leads_back_to_how_it_was_written(text: str) -> None:
    """The pieces, put together, are the text as it was; each decodes to its character."""
    decoded = Decoded(text)
    pieces = [decoded.written(at, at + 1) for at in range(len(decoded.text))]

    assert text[: decoded.written_at(0)] + "".join(pieces) == text
    for piece, character in zip(pieces, decoded.text, strict=True):
        assert Decoded(piece).text in (character, piece) or piece.strip("\x00") != piece
