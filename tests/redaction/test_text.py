"""No secret of a body is shown, in whichever form it came; what is no secret stays as it is."""

from __future__ import annotations

import json

import pytest

from handler.callback.redacted import REDACTED
from handler.callback.redaction import SECRET_NAMES, SECRET_NODES
from handler.redaction.escapes import Decoded
from handler.redaction.text import redact, redact_body
from tests.callback.test_redaction import ODDLY_WRITTEN

SECRET = "hunter2"


@pytest.mark.parametrize("name", sorted(SECRET_NAMES))
@pytest.mark.parametrize(
    "form",
    [
        "<a><NAME>hunter2</NAME><Object>kept.mp4</Object></a>",
        '{"NAME": "hunter2", "Object": "kept.mp4"}',
        '<a NAME="hunter2"><Object>kept.mp4</Object></a>',
        "NAME=hunter2&Object=kept.mp4",
    ],
)
def test_every_secret_name_in_every_format(name: str, form: str) -> None:
    """The value is redacted, its neighbour is not."""
    shown = redact(form.replace("NAME", name))

    assert SECRET not in shown
    assert REDACTED in shown
    assert "kept.mp4" in shown


@pytest.mark.parametrize("name", ODDLY_WRITTEN, ids=ascii)
@pytest.mark.parametrize(
    "form",
    [
        '{"NAME": "hunter2", "Object": "kept.mp4"}',
        "<a><NAME>hunter2</NAME><Object>kept.mp4</Object></a>",
        "<a NAME='hunter2'><Object>kept.mp4</Object></a>",
        '"{\\"NAME\\": \\"hunter2\\", \\"Object\\": \\"kept.mp4\\"}"',
    ],
)
def test_names_that_only_look_like_that_of_a_secret(name: str, form: str) -> None:
    """Characters that nobody sees, letters of another alphabet, odd case; escaped too."""
    # XML has no names with blanks.
    text = form.replace("NAME", name.replace(" ", "\u200b") if "<" in form else name)
    for written in (text, escaped(text, "\\u{:04x}"), escaped(text, "&#{};")):
        assert SECRET not in redact(written)
        assert SECRET not in redact(written[: written.index(SECRET) + 5])


def escaped(text: str, escape: str) -> str:
    """A text with escapes in place of all that is not ASCII."""
    return "".join(
        character if character.isascii() else escape.format(ord(character)) for character in text
    )


@pytest.mark.parametrize("odd", ["\u200b", "\u0301", "\uff21", "\u0430", "\x08"], ids=ascii)
def test_what_is_no_secret_stays_as_it_was_written(odd: str) -> None:
    """Folding serves the search only."""
    body = f'{{"Ob{odd}ject": "a{odd}b", "DocPassword": "x{odd}y", "{odd}": "{odd}"}}'
    assert redact(body) == body.replace(f"x{odd}y", REDACTED)


def test_a_known_secret_is_found_with_characters_in_it_that_nobody_sees() -> None:
    """Whoever reads it can copy it without them."""
    text = "GET /?token=open-\u200bses\u2060ame HTTP/1.1, \uff4fpen-sesame"
    assert "ame" not in redact(text, ["open-sesame"])


@pytest.mark.parametrize(
    "text",
    [
        "<a><CallBack>URL</CallBack><Object>kept.mp4</Object></a>",
        "<a><CallBack><![CDATA[URL]]></CallBack><Object>kept.mp4</Object></a>",
        '{"CallBack": "URL", "Object": "kept.mp4"}',
        '{"Conf": {"Callback": ["URL"]}, "Object": "kept.mp4"}',
        "refused: CallBack=URL&Object=kept.mp4",
    ],
)
def test_an_address_that_ci_calls_back_is_not_shown(text: str) -> None:
    """Its token is as secret as a password. A format, a type and a `no` are none."""
    secret = text.replace("URL", "https://f.example.com/cb?token=hunter2")
    assert SECRET not in redact(secret)
    assert "kept.mp4" in redact(secret)
    plain = text.replace("URL", "no").replace("CallBack", "CallBackFormat")
    assert redact(plain) == plain
    assert SECRET not in redact('the CallBack "https://f.example.com/cb?token=hunter2" is refused')


@pytest.mark.parametrize("path", SECRET_NODES)
def test_names_that_are_secret_below_their_parent_only(path: str) -> None:
    """Input of TtsConfig is, Input of another node is not; whether the body is whole or cut."""
    parent, child = path.split(".")[-2:]
    xml = (
        f"<a><{child}>kept1</{child}><{parent}><Type>kept2</Type><{child}>hunter2</{child}>"
        f"</{parent}><{child}>kept3</{child}></a>"
    )
    value = {child: "kept1", parent: {"Type": "kept2", child: "hunter2"}, "b": {child: "kept3"}}
    for text in (xml, json.dumps(value), json.dumps(value, indent=2)):
        shown = redact(text)
        assert SECRET not in shown
        assert [word for word in ("kept1", "kept2", "kept3") if word not in shown] == []
        assert SECRET not in redact(text[: text.index(SECRET) + 5])


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        # JSON
        ('{"DocPassword":"hunter2"}', '{"DocPassword":"[redacted]"}'),
        ('{"DocPassword" : "hun\\"ter2"}', '{"DocPassword" : "[redacted]"}'),
        ('{"DocPassword":"hunter2\\\\"}', '{"DocPassword":"[redacted]"}'),
        ('{"DocPassword":12345}', '{"DocPassword":"[redacted]"}'),
        ('{"DocPassword":["a",{"b":"]c"}],"n":1}', '{"DocPassword":"[redacted]","n":1}'),
        ('{"Doc\\u0050assword":"x1"}', '{"Doc\\u0050assword":"[redacted]"}'),
        ('{"access key":"x1","n":2}', '{"access key":"[redacted]","n":2}'),
        ("{'DocPassword': 'hun\"ter2'}", "{'DocPassword': '[redacted]'}"),
        # JSON in a string of JSON
        ('"{\\"DocPassword\\":\\"a\\\\\\"b\\"}"', '"{\\"DocPassword\\":\\"[redacted]\\"}"'),
        ('"{\\u0022DocPassword\\u0022:\\u0022x1\\u0022}"',
         '"{\\u0022DocPassword\\u0022:\\u0022[redacted]\\u0022}"'),
        # XML
        ("<DocPassword>hunter2</DocPassword>", "<DocPassword>[redacted]</DocPassword>"),
        ("<DocPassword> hunter2\n</DocPassword>", "<DocPassword>[redacted]</DocPassword>"),
        ("<a:DocPassword>x1</a:DocPassword>", "<a:DocPassword>[redacted]</a:DocPassword>"),
        ("<cipher:key>x1</cipher:key><b/>", "<cipher:key>[redacted]</cipher:key><b/>"),
        ("<DocPassword><![CDATA[a</DocPassword>b]]></DocPassword><c/>",
         "<DocPassword>[redacted]</DocPassword><c/>"),
        ("<DocPassword><!-- </DocPassword> -->b</DocPassword>",
         "<DocPassword>[redacted]</DocPassword>"),
        ("<DocPassword><a b='</DocPassword>'/>c</DocPassword>",
         "<DocPassword>[redacted]</DocPassword>"),
        ("<IV><IV>a</IV>b</IV><c>d</c>", "<IV>[redacted]</IV><c>d</c>"),
        ('<DocPassword type="x1">a</DocPassword>', "<DocPassword>[redacted]</DocPassword>"),
        ('<DocPassword value="x1"/><b>c</b>', "<DocPassword [redacted]/><b>c</b>"),
        ('<a DocPassword="x1" b="c">d</a>', '<a DocPassword="[redacted]" b="c">d</a>'),
        ("<a DocPassword = 'x1'/>", "<a DocPassword = '[redacted]'/>"),
        # XML in XML, in JSON, as Go and PHP write it, in a query
        ("&lt;DocPassword&gt;x1&lt;/DocPassword&gt;",
         "&lt;DocPassword&gt;[redacted]&lt;/DocPassword&gt;"),
        ("\\u003cDocPassword\\u003ex1\\u003c/DocPassword\\u003e",
         "\\u003cDocPassword\\u003e[redacted]\\u003c/DocPassword\\u003e"),
        ('"<DocPassword>x1<\\/DocPassword>"', '"<DocPassword>[redacted]<\\/DocPassword>"'),
        ("q=%7B%22DocPassword%22%3A%22x1%22%7D", "q=%7B%22DocPassword%22%3A%22[redacted]%22%7D"),
        # lists of names and values
        ('{"Key":"x-cos-security-token","Value":"x1"}',
         '{"Key":"x-cos-security-token","Value":"[redacted]"}'),
        ("<Key>x-cos-security-token</Key><Value>x1</Value>",
         "<Key>x-cos-security-token</Key><Value>[redacted]</Value>"),
        # other text
        ("https://f.example.com/?token=x1&a=2", "https://f.example.com/?token=[redacted]&a=2"),
        ("bad DocPassword: my word, really\nnext", "bad DocPassword: [redacted]\nnext"),
        ('form-data; name="DocPassword"\r\n\r\nx1\r\n--b',
         'form-data; name="DocPassword"\r\n\r\n[redacted]\r\n--b'),
    ],
)  # fmt: skip
def test_what_is_redacted(text: str, shown: str) -> None:
    """The value and nothing else, so that what is left can still be read and parsed."""
    assert redact(text) == shown
    assert redact(shown) == shown


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no secret at all",
        '{"DocPassword":""}',
        '{"DocPassword":null,"UriKey":[],"IV":{}}',
        "<DocPassword></DocPassword><DocPassword/>",
        "<DocPassword>\n  </DocPassword>",
        "the password is wrong",
        '{"Code":"InvalidArgument","Message":"DocPassword"}',
        "<Input><Key>a/b.mp4</Key></Input><NextToken>abc</NextToken>",
        '{"Key":"input/a.mp4","KeyId":"1","Object":"password.txt"}',
        "\\ud83d &#x1F3AC; %E4%BD%A0 \x00 &bogus; \\z",
    ],
)
def test_what_is_no_secret_stays_as_it_is(text: str) -> None:
    """Empty values show that there is no secret; names alone are none."""
    assert redact(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "<DocPassword>hunter2</DocPasswor>",
        "<DocPassword>hunter2",
        "<DocPassword hunter2</DocPassword>",
        "<DocPassword\nhunter2",
        "< DocPassword >hunter2</ DocPassword>",
        "DocPassword>hunter2</DocPassword><a>b</a>",
        "<DocPassword>a</DocPassword>hunter2</DocPassword>",
        "<DocPassword>a < b hunter2</DocPassword>",
        '<DocPassword a="b>hunter2</DocPassword>',
        "<a DocPassword=hunter2>",
        '<a DocPassword="a"hunter2">',
        '{"DocPassword":"hunter2',
        '{"DocPassword":hunter2,"a":1}',
        '{"DocPassword" "hunter2"}',
        '{"DocPassword""hunter2"}',
        '{"DocPassword"hunter2"}',
        '{"DocPassword:"hunter2"}',
        '{DocPassword:"hunter2"}',
        '{DocPassword: hunter2}',
        '{DocPassword=hunter2, a=1}',
        '{"DocPassword":"a"hunter2","b":1}',
        '{"DocPassword":"a", hunter2","b":1}',
        '{"DocPassword":{"a":"hunter2","b":1}',
        '{"DocPassword":["]",{"a":"hunter2"]}',
        '{"a":1}{"DocPassword":"hunter2"}trailing',
        '{"Message":"DocPassword: hunter2"}',
        '<Param name="DocPassword">hunter2</Param>',
        '<Param name="DocPassword" value="hunter2"/>',
        "DocPassword: don't hunter2",
        "DocPassword => 'hunter2'",
        "&#68;ocPassword: hunter2",
        "%44oc%50assword=hunter2",
        "\\u0026#68;ocPassword=hunter2",
        "&amp;amp;#x44;ocPassword=hunter2",
        "\\\\\\u0044ocPassword=hunter2",
        "%2525441%0ADocPassword%253Dhunter2",
        "\\104ocPassword=hunter2",
        "D\x00ocPassword=hunter2",
        "doc_password=hunter2",
        "DOCPASSWORD=hunter2",
        "x-client-secret: hunter2",
        "plain_text: hunter2",
    ],
)  # fmt: skip
def test_broken_and_escaped_text_shows_no_secret(text: str) -> None:
    """Nothing here can be parsed; where the end is not clear, the rest of the text goes too."""
    assert SECRET not in Decoded(redact(text)).text
    assert SECRET not in Decoded(redact(f"kept {text} \n more")).text


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be",
                                      "utf-32", "utf-32-le", "utf-32-be"])  # fmt: skip
@pytest.mark.parametrize(
    "text", ['{"DocPassword":"hunter2"}', "<DocPassword>hunter2</DocPassword>"]
)
def test_a_body_in_any_encoding_of_unicode(encoding: str, text: str) -> None:
    """Known by its mark or its zeros; behind other bytes, too."""
    for body in (text.encode(encoding), b"abcd" + text.encode(encoding)):
        shown = redact_body(body)
        assert SECRET not in shown.replace("\x00", "").replace("\\x00", "")
        assert "[redacted]" in shown


def test_bytes_that_are_no_text_are_written_as_escapes() -> None:
    """And hide no name."""
    assert redact_body(b"\xff<IV>\xfe</IV>") == "\\xff<IV>[redacted]</IV>"


def test_a_text_that_is_escaped_too_often_is_not_shown() -> None:
    """Eight kinds of escapes in turn."""
    text = "DocPassword=hunter2"
    for kind in ("&#{};", "%{:02X}", "\\u{:04x}") * 3:
        text = kind.format(ord(text[0])) + text[1:]

    assert redact(text) == REDACTED


# --- secrets that are known by their value --------------------------------------------------


@pytest.mark.parametrize(
    "written",
    [
        "to/ken+&1",
        "to%2Fken%2B%261",
        "to%2fken%2b%261",
        "to/ken+&amp;1",
        "to\\/ken+\\u00261".replace("\\/", "/"),
        "%74o/ken+&#38;1",
        "\\u0074o/ken+&1",
    ],
)
def test_a_known_secret_is_found_however_it_is_written(written: str) -> None:
    """As CI's refusals quote CallBack, with RETRY_CALLBACK_URL's token in it."""
    text = f"InvalidArgument: CallBack https://f.example.com/cb/{written}/x is not allowed"

    shown = redact(text, ["to/ken+&1", ""])

    assert (
        shown == f"InvalidArgument: CallBack https://f.example.com/cb/{REDACTED}/x is not allowed"
    )


def test_a_known_secret_within_another_one_does_not_show_the_rest() -> None:
    """The longer one goes whole; two that overlap go both."""
    assert redact("x abcdef y", ["abc", "abcdef"]) == "x [redacted] y"
    assert redact("x abcdef y", ["abcd", "cdef"]) == "x [redacted] y"
    assert redact("token=abcdef ghi", ["def ghi"]) == "token=[redacted]"
