"""Hostile XML. Nothing of it may be expanded, fetched or misread."""

from __future__ import annotations

from collections.abc import Iterator

from tests.slow.hostile.case import Bait, Case, dead, kept, no_id, post, xml_job

DEPTH = 64


def cases(bait: Bait) -> list[Case]:
    return [
        *_document_types(bait),
        *_misplaced_document_types(),
        *_references(),
        *_inclusions(bait),
        *_namespaces(),
        *_encodings(),
        *_characters(),
        *_nesting(),
        *_attributes(),
        *_instructions(bait),
        *_cdata(),
        *_comments(),
        *_structure(),
    ]


# --- document types ------------------------------------------------------------------------


def _laughs(levels: int, width: int) -> str:
    rows = ['<!ENTITY e0 "ha">']
    rows += [f'<!ENTITY e{n} "{f"&e{n - 1};" * width}">' for n in range(1, levels)]
    return f"[{''.join(rows)}]"


def _subsets(bait: Bait) -> dict[str, str]:
    """What stands between DOCTYPE Response and its >. &x; is used in the body."""
    addresses = {
        "file": f"file://{bait.path}",
        "bare path": bait.path,
        "relative path": "../../../../etc/passwd",
        "http": f"{bait.url}/x.dtd",
        "https": bait.url.replace("http:", "https:"),
        "ftp": bait.url.replace("http:", "ftp:"),
        "gopher": bait.url.replace("http:", "gopher:"),
        "data": "data:text/plain,boo",
        "php filter": f"php://filter/read=convert.base64-encode/resource={bait.path}",
        "expect": "expect://id",
        "jar": f"jar:{bait.url}/x.jar!/x",
        "netdoc": f"netdoc:{bait.path}",
        "share": r"\\127.0.0.1\share\x",
        "device": "file:///dev/zero",
    }
    subsets = {
        "nothing": "",
        "empty subset": "[]",
        "laughs, ten levels": _laughs(10, 10),
        "laughs, wide": _laughs(3, 1000),
        "quadratic": f'[<!ENTITY x "{"A" * 50_000}">]',
        "plain entity": '[<!ENTITY x "y">]',
        "entity in itself": '[<!ENTITY x "&x;">]',
        "two entities in each other": '[<!ENTITY x "&z;"><!ENTITY z "&x;">]',
        "redefined lt": '[<!ENTITY lt "&#38;#60;"><!ENTITY x "">]',
        "markup in an entity": '[<!ENTITY x "<State>Failed</State>">]',
        "default attribute": '[<!ATTLIST JobId x CDATA "y">]',
        "element type": "[<!ELEMENT Response ANY>]",
        "notation": '[<!NOTATION n SYSTEM "x"><!ENTITY x SYSTEM "u" NDATA n>]',
        "parameter entity": "[<!ENTITY % p \"<!ENTITY x 'y'>\"> %p;]",
        "comment within": "[<!-- x -->]",
        "instruction within": "[<?x y?>]",
    }
    for name, address in addresses.items():
        subsets[f"entity of {name}"] = f'[<!ENTITY x SYSTEM "{address}">]'
        subsets[f"public entity of {name}"] = f'[<!ENTITY x PUBLIC "-//x//y" "{address}">]'
        subsets[f"parameter entity of {name}"] = f'[<!ENTITY % p SYSTEM "{address}"> %p;]'
        subsets[f"external subset of {name}"] = f'SYSTEM "{address}"'
    return subsets


PROLOGS = {
    "first": "",
    "after the declaration": "<?xml version='1.0' encoding='UTF-8' standalone='no'?>",
    "after a comment": "<!-- <Response> -->",
    "after an instruction": "<?x y?>\n",
    "after a BOM": "\ufeff",
}


def _document_types(bait: Bait) -> Iterator[Case]:
    """A document type is refused whatever it holds, wherever it stands, used or not."""
    for number, (name, subset) in enumerate(_subsets(bait).items()):
        for place, prolog in PROLOGS.items():
            # The plain tricks in each place; the long table of addresses in two of them.
            if number < 16 or place in ("first", "after the declaration"):
                body = f"{prolog}<!DOCTYPE Response {subset}>{xml_job('<Message>&x;</Message>')}"
                yield dead(f"DTD: {name}, {place}", body, "dtd_forbidden")
    for root in ("html", "svg", "a:b", "plist"):
        yield dead(f"DTD of {root}", f"<!DOCTYPE {root}><a/>", "dtd_forbidden")


def _misplaced_document_types() -> Iterator[Case]:
    entity = '<!DOCTYPE r [<!ENTITY x "y">]>'
    yield dead("DTD in lower case", f"<!doctype r>{xml_job()}", "xml_invalid")
    yield dead("DTD within the root", f"<Response>{entity}</Response>", "xml_invalid")
    yield dead("DTD behind the root", xml_job() + entity, "xml_invalid")
    yield dead("DTD that never ends", "<!DOCTYPE r [" + xml_job(), "dtd_forbidden")
    yield dead("DTD without a name", f"<!DOCTYPE>{xml_job()}", "xml_invalid")
    yield kept("DTD in a comment", f"<!-- {entity} -->" + xml_job(), holds={"outcome": "succeeded"})
    yield kept(
        "DTD in CDATA",
        xml_job(f"<Message><![CDATA[{entity}&x;]]></Message>"),
        holds={"message": f"{entity}&x;"},
    )
    yield kept(
        "DTD, escaped",
        xml_job(Message=f"{entity}&x;"),
        holds={"message": f"{entity}&x;"},
    )


# --- references ------------------------------------------------------------------------------

GOOD_REFERENCES = {
    "&lt;": "<",
    "&gt;": ">",
    "&amp;": "&",
    "&quot;": '"',
    "&apos;": "'",
    "&#65;": "A",
    "&#x41;": "A",
    "&#x0000000041;": "A",
    "&#9;x": "\tx",
    "&#10;x": "\nx",
    "&#13;x": "\rx",
    "&#x85;x": "\u0085x",
    "&#x2028;x": "\u2028x",
    "&#x202e;": "\u202e",
    "&#x1F600;": "\U0001f600",
    "&#x10FFFF;": "\U0010ffff",
    "&amp;lt;": "&lt;",
    "&#38;#60;": "&#60;",
    "&amp;x;": "&x;",
    # XML forbids these; JSON can write them, and the key of an object may hold them.
    "&#0;": "\0",
    "&#x0;": "\0",
    "&#1;": "\x01",
    "&#8;": "\b",
    "&#x1f;x": "\x1fx",
    "&#xFFFE;": "\ufffe",
    "&#xFFFF;": "\uffff",
    "&#xD83D;&#xDE00;": "\U0001f600",
    "&#xD800;": "\ufffd",
    "&#xDFFF;": "\ufffd",
}

BAD_REFERENCES = (
    "&x;",
    "&nbsp;",
    "&copy;",
    "&LT;",
    "&",
    "& ",
    "&;",
    "&#;",
    "&#x;",
    "&#X41;",
    "&lt",
    "&#65",
    "&#x110000;",
    "&#99999999999999999999;",
    "&#-1;",
    "&#6 5;",
    "&%x;",
    "%x;&x;",
)


def _references() -> Iterator[Case]:
    for sent, read in GOOD_REFERENCES.items():
        yield kept(
            f"reference {sent} in text",
            xml_job(f"<Message>{sent}</Message>"),
            holds={"message": read},
        )
        yield kept(
            f"reference {sent} in an attribute",
            xml_job(f'<Message k="{sent}"/>'),
            holds={"details.Message.@k": read},
        )
    for sent in BAD_REFERENCES:
        yield dead(
            f"reference {sent} in text", xml_job(f"<Message>{sent}</Message>"), "xml_invalid"
        )
        yield dead(f"reference {sent} in an attribute", xml_job(f'<a k="{sent}"/>'), "xml_invalid")


# --- what other parsers would fetch ----------------------------------------------------------


def _inclusions(bait: Bait) -> Iterator[Case]:
    """They are read as nodes like any others, and nothing is fetched."""
    space = "http://www.w3.org/2001/XInclude"
    for how, href in {
        "file": f"file://{bait.path}",
        "bare path": bait.path,
        "http": bait.url,
        "relative path": "../../etc/passwd",
    }.items():
        for parse in ("text", "xml"):
            include = f'<xi:include xmlns:xi="{space}" href="{href}" parse="{parse}"/>'
            yield kept(
                f"XInclude of {how} as {parse}",
                xml_job(f"<Message>{include}</Message>"),
                holds={
                    "message": "",
                    ("details", "Message", "xi:include", "@href"): href,
                },
            )
            yield no_id(
                f"XInclude of {how} as {parse} for the JobId",
                f"<Response><JobsDetail><JobId>{include}</JobId></JobsDetail></Response>",
            )
        yield kept(
            f"schema at {how}",
            xml_job().replace(
                "<JobsDetail>",
                '<x xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
                f'xsi:noNamespaceSchemaLocation="{href}"/><JobsDetail>',
            ),
        )
        yield kept(f"base address of {how}", xml_job(f'<a xml:base="{href}"/>'))
        yield kept(
            f"link to {how}",
            xml_job(f'<a xmlns:l="http://www.w3.org/1999/xlink" l:href="{href}" l:show="embed"/>'),
        )
    root = f'<xi:include xmlns:xi="{space}" href="{bait.url}"/>'
    yield dead("XInclude as the root", root, "no_callback")
    yield kept("XInclude without its namespace", xml_job("<xi:include/>"))


def _namespaces() -> Iterator[Case]:
    """A prefix is a part of the name, and what declares it an attribute like any other."""
    yield kept("namespace for all", xml_job().replace("<Response>", '<Response xmlns="urn:x">'))
    yield no_id(
        "namespace for the JobId",
        '<Response><JobsDetail><JobId xmlns="urn:x">j1</JobId></JobsDetail></Response>',
    )
    yield kept(
        "State of another namespace beside the own one",
        xml_job('<x:State xmlns:x="urn:x">Failed</x:State>'),
        holds={"outcome": "succeeded", ("details", "x:State", "#text"): "Failed"},
    )
    bound = {
        "xml bound to another": 'xmlns:xml="urn:x"',
        "xmlns bound": 'xmlns:xmlns="urn:x"',
        "prefix bound to nothing": 'xmlns:a=""',
        "prefix bound to that of xml": 'xmlns:a="http://www.w3.org/XML/1998/namespace"',
        "one attribute by two prefixes": 'xmlns:a="u" xmlns:b="u" a:k="1" b:k="2"',
    }
    for name, attributes in bound.items():
        yield kept(f"namespace: {name}", xml_job(f"<x {attributes}/>"))
    yield kept("namespace: prefix that nobody binds", xml_job("<a:b/>"))
    yield dead("namespace: an attribute twice", xml_job('<x a:k="1" a:k="2"/>'), "xml_invalid")
    for what, unit in {
        "names": "<a:b%d/>",
        "attributes": '<x a:b%d=""/>',
        "one name": "<a:b/>",
    }.items():
        inner = "".join(unit.replace("%d", str(number)) for number in range(2_000))
        yield kept(
            f"namespace of 60 kB for 2,000 {what}",
            xml_job(inner).replace("<Response>", f'<Response xmlns:a="{"u" * 60_000}">'),
        )
    many = " ".join(f'xmlns:n{n}="urn:{n}"' for n in range(2_000))
    yield kept("namespaces, 2,000 in one tag", xml_job(f"<x {many}/>"))
    yield kept("namespace of 10 kB", xml_job(f'<x xmlns="{"u" * 10_000}"/>'))


# --- encodings -------------------------------------------------------------------------------

READ = ("UTF-8", "utf-8", "Utf8", "US-ASCII", "ascii")
NOT_READ = (
    "gbk",
    "GB2312",
    "gb18030",
    "big5",
    "shift_jis",
    "euc-kr",
    "iso-8859-1",
    "windows-1252",
    "latin1",
    "UTF-7",
    "UTF-16",
    "UTF-16LE",
    "UTF-32",
    "ucs-4",
    "cp037",
    "idna",
    "punycode",
    "rot13",
    "hex",
    "zlib",
    "unicode_escape",
    "raw_unicode_escape",
    "x-unknown",
    "utf-8-sig",
    "utf-8 ",
    "../../utf-8",
    "",
)


def _encodings() -> Iterator[Case]:
    """The bytes are UTF-8, and a declaration of anything else is refused."""
    body = xml_job(Message="译é")
    for name in READ:
        yield kept(
            f"encoding declared as {name}",
            f'<?xml version="1.0" encoding="{name}"?>{body}',
            holds={"message": "译é"},
        )
    for name in NOT_READ:
        for quote in "\"'":
            declared = f"<?xml version='1.0' encoding = {quote}{name}{quote} ?>{xml_job()}"
            yield dead(f"encoding declared as {name!r} in {quote}", declared, "encoding")
    for name in ("gbk", "utf-16", "utf-7"):
        text = f"<?xml version='1.0' encoding='{name}'?>{body}"
        reason = "not_xml_or_json" if name == "utf-16" else "encoding"
        encoded = text.encode(name) if name != "utf-7" else text.encode("utf-8")
        yield dead(f"bytes in {name}, declared so", encoded, reason)
    for name, reason in {
        "utf-16": "not_xml_or_json",
        "utf-32": "not_xml_or_json",
        "utf-16-le": "encoding",
        "utf-16-be": "not_xml_or_json",
        "utf-32-le": "encoding",
        "utf-32-be": "not_xml_or_json",
        "utf-7": "not_xml_or_json",
        "cp037": "not_xml_or_json",
        "gbk": "xml_invalid",
        "latin-1": "xml_invalid",
    }.items():
        text = body if name not in ("latin-1", "cp037") else xml_job(Message="é")
        encoded = text.encode(name) if name != "utf-7" else b"+ADw-Response+AD4-"
        yield dead(f"bytes in {name}, undeclared", encoded, reason)
    yield kept("BOM", b"\xef\xbb\xbf" + body.encode(), holds={"message": "译é"})
    yield dead("BOM twice", b"\xef\xbb\xbf" * 2 + body.encode(), "not_xml_or_json")
    yield kept("BOM behind blanks is none", b" \n" + body.encode(), holds={"message": "译é"})
    for name, declaration in {
        "version 1.1": "version='1.1'",
        "version 1.0 alone": "version='1.0'",
        "standalone": "version='1.0' standalone='yes'",
    }.items():
        yield kept(f"declaration: {name}", f"<?xml {declaration}?>{body}")
    for name, declaration in {
        "without a version": "encoding='UTF-8'",
        "in a wrong order": "encoding='UTF-8' version='1.0'",
        "standalone maybe": "version='1.0' standalone='maybe'",
        "with an entity": "version='&x;'",
        "with more": "version='1.0' x='y'",
        "version with a >": "version='1.0>' encoding='gbk'",
    }.items():
        yield dead(f"declaration: {name}", f"<?xml {declaration}?>{body}", "xml_invalid")
    yield dead("declaration twice", "<?xml version='1.0'?>" * 2 + body, "xml_invalid")
    yield dead("declaration behind a comment", f"<!----><?xml version='1.0'?>{body}", "xml_invalid")
    yield dead("declaration in capitals", f"<?XML version='1.0'?>{body}", "xml_invalid")


def _characters() -> Iterator[Case]:
    def in_text(raw: bytes) -> bytes:
        return xml_job("<Message>a-b</Message>").encode().replace(b"a-b", b"a" + raw + b"b")

    for code in [*range(9), 11, 12, *range(14, 32)]:
        yield dead(f"control character {code:#04x} in text", in_text(bytes([code])), "xml_invalid")
    for name, raw in {
        "overlong <": b"\xc0\xbc",
        "overlong slash": b"\xe0\x80\xaf",
        "overlong NUL": b"\xc0\x80",
        "half of a pair": b"\xed\xa0\x80",
        "pair as two threes": b"\xed\xa0\xbd\xed\xb8\x80",
        "above Unicode": b"\xf4\x90\x80\x80",
        "five bytes": b"\xf8\x88\x80\x80\x80",
        "0xff": b"\xff",
        "0xfe": b"\xfe",
        "lone continuation": b"\x80",
        "cut off": b"\xe8\xaf",
        "U+FFFE": b"\xef\xbf\xbe",
        "U+FFFF": b"\xef\xbf\xbf",
    }.items():
        yield dead(f"{name} in text", in_text(raw), "xml_invalid")
    for name, text in {
        "DEL": "\x7f",
        "next line": "\u0085",
        "line separator": "\u2028",
        "right to left": "\u202e",
        "zero width": "\u200b",
        "BOM in the middle": "\ufeff",
        "private": "\ue000",
        "last of all": "\U0010ffff",
        "two thousand accents": "a" + "\u0301" * 2_000,
        "replacement character": "\ufffd",
    }.items():
        yield kept(f"{name} in text", in_text(text.encode()), holds={"message": f"a{text}b"})
    for name, raw in {
        "gzip": b"\x1f\x8b\x08\0",
        "zip": b"PK\x03\x04",
        "picture": b"\x89PNG\r\n\x1a\n",
        "overlong < first": b"\xc0\xbcResponse/>",
        "full-width < first": "＜Response/>".encode(),
        "NUL first": b"\0<Response/>",
        "form feed first": b"\x0c<Response/>",
    }.items():
        yield dead(name, raw, "not_xml_or_json")


# --- size of its parts -----------------------------------------------------------------------


def _nesting() -> Iterator[Case]:
    for name, (opening, closing) in {
        "one name": ("<a>", "</a>"),
        "attributes": ("<a k='v'>", "</a>"),
        "namespaces": ("<a xmlns='urn:x'>", "</a>"),
        "the names of a callback": ("<JobsDetail>", "</JobsDetail>"),
        "text between": ("<a>x", "y</a>"),
    }.items():
        within = DEPTH - 2
        yield kept(f"nesting at the limit: {name}", xml_job(opening * within + closing * within))
        for depth in (within + 1, 1_000, 20_000):
            body = xml_job(opening * depth + closing * depth)
            yield dead(f"nesting, {depth:,} deep: {name}", body, "too_deep")
        yield dead(f"nesting that is never closed: {name}", opening * 20_000, "too_deep")
    yield dead(
        "nesting beside the job",
        xml_job().replace("<JobsDetail>", "<a>" * 70 + "</a>" * 70 + "<JobsDetail>"),
        "too_deep",
    )
    yield dead("nesting, closed before it is opened", "</a>" * 1_000, "xml_invalid")


def _attributes() -> Iterator[Case]:
    def wide(count: int, value: str = "") -> str:
        return xml_job("<x " + " ".join(f'a{n}="{value}"' for n in range(count)) + "/>")

    yield kept("attributes, 5,000", wide(5_000))
    yield dead("attributes, 20,000", wide(20_000), "tag_too_long")
    yield dead("attributes, 10,000 with a > in each", wide(10_000, ">"), "tag_too_long")
    yield dead("attributes, 10,000 with a quote in each", wide(10_000, "'"), "tag_too_long")
    yield dead("attributes that never end", "<x " + "a='b' " * 20_000, "tag_too_long")
    yield dead("attribute that never ends", '<x a="' + "b" * 100_000, "xml_invalid")
    yield dead("name that never ends", "<" + "x" * 100_000, "tag_too_long")
    yield kept("name of 1,024 characters", xml_job(f"<{'x' * 1_024}/>"))
    yield dead("name of 60,000 characters", xml_job(f"<{'x' * 60_000}/>"), "name_too_long")
    yield kept("attribute of 60,000 characters", xml_job(f'<x a="{"b" * 60_000}"/>'))
    yield dead(
        "attribute of 70,000 characters", xml_job(f'<x a="{"b" * 70_000}"/>'), "tag_too_long"
    )
    for name, tag in {
        "the same twice": '<x a="1" a="2"/>',
        "without quotes": "<x a=1/>",
        "without a value": "<x a/>",
        "with <": '<x a="<"/>',
        "without a blank between": '<x a="1"b="2"/>',
        "in a closing tag": '<x></x a="1">',
        "half a quote": "<x a=\"1'/>",
        "a digit first": '<x 1a="1"/>',
        "CDATA": '<x a="<![CDATA[1]]>"/>',
    }.items():
        yield dead(f"attribute: {name}", xml_job(tag), "xml_invalid")
    yield no_id(
        "JobId as an attribute", '<Response><JobsDetail JobId="j1" State="Success"/></Response>'
    )
    yield no_id(
        "JobId with an attribute",
        xml_job(JobId=None).replace("<JobsDetail>", '<JobsDetail><JobId k="v">j1</JobId>'),
    )
    yield kept(
        "State with an attribute is no State",
        xml_job('<State k="v">Failed</State>', State=None),
        holds={"outcome": "unknown"},
    )


# --- instructions, CDATA, comments -----------------------------------------------------------


def _instructions(bait: Bait) -> Iterator[Case]:
    harmless = {
        "stylesheet": f'<?xml-stylesheet type="text/xsl" href="{bait.url}/x.xsl"?>',
        "PHP": "<?php system('id'); ?>",
        "import": f'<?import "{bait.path}"?>',
        "nothing in it": "<?x?>",
        "markup in it": "<?x <JobsDetail><State>Failed</State> ?>",
        "long": f"<?x {'y' * 200_000}?>",
        "question marks": "<?x ?? ???>",
    }
    for name, instruction in harmless.items():
        for place, body in {
            "before": instruction + xml_job(),
            "within": xml_job(instruction),
            "behind": xml_job() + instruction,
        }.items():
            yield kept(f"instruction {place}: {name}", body, holds={"outcome": "succeeded"})
    for name, instruction in {
        "xml": "<?xml version='1.0'?>",
        "xMl": "<?xMl y?>",
        "without a name": "<? y?>",
        "nothing": "<??>",
        "never ends": "<?x y",
        "wrong end": "<?x y>",
    }.items():
        yield dead(f"instruction: {name}", xml_job(instruction), "xml_invalid")


def _cdata() -> Iterator[Case]:
    def message(sent: str) -> str:
        return xml_job(f"<Message>{sent}</Message>")

    for sent, read in {
        "<![CDATA[<State>Failed</State>]]>": "<State>Failed</State>",
        "<![CDATA[</Message><State>Failed</State>]]>": "</Message><State>Failed</State>",
        "<![CDATA[&amp;&x;]]>": "&amp;&x;",
        "<![CDATA[]]>": "",
        "<![CDATA[]]]]>": "]]",
        "<![CDATA[]]]]><![CDATA[>]]>": "]]>",
        "a<![CDATA[b]]>c<![CDATA[d]]>": "abcd",
        "<![CDATA[<![CDATA[]]>": "<![CDATA[",
        "<![CDATA[-->]]>": "-->",
        "<![CDATA[?>]]>": "?>",
    }.items():
        yield kept(f"CDATA {sent}", message(sent), holds={"message": read, "outcome": "succeeded"})
    for sent in (
        "]]>",
        "<![CDATA[",
        "<![CDATA[]]",
        "<![cdata[x]]>",
        "<![CDATA [x]]>",
        "<! [CDATA[x]]>",
        "<![CDATA[<![CDATA[]]>]]>",
        "<![INCLUDE[x]]>",
        "<![CDATA[\x00]]>",
        "<![CDATA[\x1b]]>",
    ):
        yield dead(f"CDATA {sent!r}", message(sent), "xml_invalid")
    yield dead("CDATA before the root", "<![CDATA[x]]>" + xml_job(), "xml_invalid")
    yield dead("CDATA behind the root", xml_job() + "<![CDATA[x]]>", "xml_invalid")
    yield dead("CDATA around all", f"<![CDATA[{xml_job()}]]>", "xml_invalid")
    yield kept(
        "CDATA in the JobId",
        "<Response><JobsDetail><JobId>j<![CDATA[1]]></JobId><State>Success</State>"
        "</JobsDetail></Response>",
        key="jobs/dt=1970-01-01/j1.json",
    )
    yield dead("CDATA for the job", f"<Response><![CDATA[{xml_job()}]]></Response>", "no_callback")


def _comments() -> Iterator[Case]:
    def job(job_id: str, state: str = "Success") -> str:
        return (
            f"<Response><JobsDetail><JobId>{job_id}</JobId><State>{state}</State>"
            "</JobsDetail></Response>"
        )

    yield kept(
        "comment within the JobId does not cut it",
        job("j1<!-- x -->2"),
        key="jobs/dt=1970-01-01/j12.json",
    )
    yield kept(
        "instruction within the JobId does not cut it",
        job("j1<?x?>2"),
        key="jobs/dt=1970-01-01/j12.json",
    )
    yield kept("comment within the State", job("j1", "Fai<!---->led"), holds={"outcome": "failed"})
    yield no_id("JobId that is a comment", job("<!--j1-->"))
    yield kept("State that is a comment", job("j1", "<!--Failed-->"), holds={"outcome": "unknown"})
    for place, body in {
        "before": "<!-- <Response><State> -->" + xml_job(),
        "within": xml_job("<!-- <State>Failed</State> -->"),
        "behind": xml_job() + "<!-- </Response> ]]> ?> & -->",
        "long": xml_job(f"<!--{'x<' * 100_000}-->"),
    }.items():
        yield kept(f"comment {place}", body, holds={"outcome": "succeeded"})
    for sent in (
        "<!-- -- -->",
        "<!-- --->",
        "<!-->",
        "<!--->",
        "<!- x ->",
        "<!-- x",
        "<!-- x --!>",
    ):
        yield dead(f"comment {sent}", xml_job(sent), "xml_invalid")


# --- structure -------------------------------------------------------------------------------


def _structure() -> Iterator[Case]:
    yield no_id("two JobIds", xml_job("<JobId>j2</JobId>"))
    yield kept("two States", xml_job("<State>Failed</State>"), holds={"outcome": "unknown"})
    yield kept(
        "State in pieces",
        xml_job("<State>Suc<b/>cess</State>", State=None),
        holds={"outcome": "unknown"},
    )
    yield kept(
        "a job within a job",
        xml_job(f"<Message>{xml_job(JobId='j2', State='Failed')}</Message>"),
        holds={"job_id": "j1", "outcome": "succeeded"},
        key="jobs/dt=1970-01-01/j1.json",
    )
    for name, body in {
        "nothing": "<a/>",
        "empty Response": "<Response/>",
        "text in Response": "<Response>JobsDetail</Response>",
        "Response within Response": f"<Response>{xml_job()}</Response>",
        "in lower case": xml_job().lower(),
        "in capitals": "<RESPONSE><JOBSDETAIL/></RESPONSE>",
        "look-alike names": xml_job().replace("JobsDetail", "ЈobsDetail"),
        "SOAP": '<s:Envelope xmlns:s="urn:s"><s:Body/></s:Envelope>',
        "feed": "<rss version='2.0'><channel/></rss>",
        "vector graphics": '<svg xmlns="http://www.w3.org/2000/svg"><script>x</script></svg>',
        "empty JobsDetail": "<Response><JobsDetail/></Response>",
        "root of another name": xml_job().replace("Response", "Reply"),
    }.items():
        yield dead(f"no callback: {name}", body, "no_callback")
    for name, body in {
        "tags crossed": "<a><b></a></b>",
        "cut off": xml_job()[:-5],
        "cut off in a tag": "<Response><Jobs",
        "case of the end": "<Response></response>",
        "two roots": xml_job() * 2,
        "text behind": xml_job() + "x",
        "only a declaration": "<?xml version='1.0'?>",
        "only a comment": "<!-- x -->",
        "only a <": "<",
        "< and a blank": "< Response/>",
        "name with a digit first": "<1a/>",
        "name with a slash": "<a/b/>",
        "empty name": "<></>",
        "two slashes": "<a//>",
        "a page": "<html><br><p>not found</html>",
        "NUL within a name": "<Resp\0onse/>",
        "template": "<% x %>",
    }.items():
        yield dead(f"not well-formed: {name}", body, "xml_invalid")
    yield Case(
        "two JobsDetails are two jobs",
        post(
            "<Response><JobsDetail><JobId>j1</JobId><State>Success</State></JobsDetail>"
            "<JobsDetail><JobId>j2</JobId><State>Success</State></JobsDetail></Response>"
        ),
        200,
        ("kept", "kept"),
    )
    rootless = (
        "<EventName>WorkflowFinish</EventName><WorkflowExecution><RunId>i1</RunId>"
        "<State>Success</State></WorkflowExecution>"
    )
    yield kept("without a root", rootless, key="workflows/dt=1970-01-01/i1.json")
    yield dead("without a root, with text beside", rootless + "x", "xml_invalid")
    yield dead("without a root, with a DTD", "<!DOCTYPE r>" + rootless, "dtd_forbidden")
    yield dead("without a root, with a DTD behind", rootless + "<!DOCTYPE r>", "xml_invalid")
    yield dead("without a root, of unknown names", "<a/><b/>", "xml_invalid")
    yield dead(
        "without a root, closing one that is not there",
        "<EventName>x</EventName></Response><Response>",
        "xml_invalid",
    )
