"""redaction.py: no secret that CI echoes reaches a record."""

from __future__ import annotations

import json
from typing import Any

import pytest

from handler.callback.redacted import REDACTED
from handler.callback.redaction import SECRET_NAMES, SECRET_NODES, is_secret, redact
from tests.callback.test_record import job, records, valid
from tests.callback.twins import as_json, as_xml

MARKER = "hunter2-a-secret"

PLACES = (
    "Operation.DocProcess.DocPassword",
    "Operation.FileUncompressConfig.UnCompressKey",
    "Operation.FileCompressConfig.CompressKey",
    "Operation.Segment.HlsEncrypt.UriKey",
    "Operation.Transcode.TransConfig.HlsEncrypt.UriKey",
    "Operation.Transcode.TransConfig.HlsEncrypt.PlainText",
    "Operation.Transcode.TransConfig.DashEncrypt.UriKey",
    *(f"Operation.{name}" for name in ("DecryptKey", "DecryptIv", "EncryptKey", "EncryptIv")),
    *SECRET_NODES,
)
"""Where the SDKs' structs have them."""

ODD_PLACES = (
    "Operation.HlsEncrypt.UriKey",
    "Operation.VideoEnhance.Transcode.TransConfig.HlsEncrypt.UriKey",
    "Operation.NewThing.Config.CompressKey",
    "Input.DocPassword",
    "UnCompressKey",
)
"""Where no page shows them; what comes after this version may."""


def planted(path: str, value: Any = MARKER) -> dict[str, Any]:
    """A JobsDetail with something at a path."""
    tree: Any = value
    for name in reversed(path.split(".")):
        tree = {name: tree}
    return {"JobId": "j1", "Tag": "New", "State": "Success", **tree}


@pytest.mark.parametrize("write", [as_xml, as_json])
@pytest.mark.parametrize("path", [*PLACES, *ODD_PLACES])
def test_no_secret_reaches_the_record(path: str, write: Any) -> None:
    """Whatever the format, and however often the node comes."""
    for detail in (planted(path), planted(path, [MARKER, MARKER])):
        (record,) = records(write({"JobsDetail": detail}))
        assert MARKER.encode() not in record.to_json()
        assert REDACTED.encode() in record.to_json()
        valid(record)


@pytest.mark.parametrize("write", [as_xml, as_json])
@pytest.mark.parametrize("path", [*PLACES, *ODD_PLACES])
def test_a_node_below_a_secret_goes_with_it(path: str, write: Any) -> None:
    """And so does one in a list on the way."""
    detail = planted(path, {"Deep": [{"Deeper": MARKER}]})
    if "Operation" in detail:
        detail["Operation"] = [detail["Operation"], {"Other": "x"}]
    (record,) = records(write({"JobsDetail": detail}))
    assert MARKER.encode() not in record.to_json()


@pytest.mark.parametrize(
    "tree",
    [
        {"WorkflowExecution": {"RunId": "i1", "Tasks": {"Config": {"UriKey": MARKER}}}},
        {"EventName": "ReviewText", "JobsDetail": {"JobId": "r1", "DocPassword": MARKER}},
        {"code": "0", "data": {"trace_id": "t1", "CompressKey": MARKER}},
    ],
)
def test_runs_and_reviews_hold_no_secret_either(tree: Any) -> None:
    """Nothing that they are known to echo is one; the names are the same."""
    for write in (as_xml, as_json):
        (record,) = records(write(tree))
        assert MARKER.encode() not in record.to_json()


def test_the_users_own_data_is_no_secret() -> None:
    """It is there to be found again."""
    assert job(Operation={"UserData": MARKER}).user_data == MARKER


def test_a_secret_has_no_part_in_the_digest() -> None:
    """Otherwise the digest would let one try out passwords."""
    record = job(Operation={"DocProcess": {"DocPassword": "1"}})
    other = job(Operation={"DocProcess": {"DocPassword": "2"}})
    assert record.source["digest"] == other.source["digest"]


SECRETS = (
    *sorted(SECRET_NAMES),
    *("password", "docPassword", "DOCPASSWORD", "Passwd", "SecretKey", "client_secret", "AesKey"),
    *("accessKey", "private_key", "SignKey", "token", "SecurityToken", "x-cos-security-token"),
    *("iv", "Iv", "AesIV", "Signature", "apikey", "Authorization", "Cookie", "Set-Cookie", "Pwd"),
    *("X-Api-Key", "AuthKey", "LicenseKey", "DrmToken", "Credential", "InitVector", "SessionKey"),
)
ODDLY_WRITTEN = (
    *("Doc\u200bPassword", "DocPassword\u200b", "\ufeffDocPassword", "Doc\u00adPass\u2060word"),
    *("Doc\u034fPassword", "Doc\U000e0041Password", "Doc\u3164Password", "Doc\ufe0fPassword"),
    *("Doc\u202ePassword", "Doc\x00Password", "Doc\x08Pass\x7fword", "Doc\x9dPassword"),
    *("\uff24ocPassword", "\uff24\uff4f\uff43\uff30\uff41\uff53\uff53\uff57\uff4f\uff52\uff44"),
    *("\U0001d403ocPassword", "\u24b9ocPassword", "Pa\u017fsword", "DocP\xe1ssword", "To\u212aen"),
    *("D\u043ecP\u0430ssword", "D\u03bfcPassw\u03bfrd", "Ur\u0456Key", "Ur\u0131Key", "I\u0474"),
    *("dOCpASSWORD", "docpassworD", "PlAiNtExT", "plain_text", "Plain-Text", "urikey", "uRiKeY"),
    *("uncompresskey", "MASTERPLAYKEY", "Doc Password ", " IV", "DocPassword.", "DocPassword1"),
    *("I\u200bV", "\uff29\uff36", "t\u200do\u200dk\u200de\u200dn", "Secret\u0301"),
)
"""What a reader takes for the name of a secret: invisible characters, letters that look like those
of ASCII, odd case, and signs between the letters."""

PLAIN = (
    *("Key", "KeyId", "KeyType", "KeyConfig", "Keywords", "ObjectKey", "TokenId", "NextToken"),
    *("ReceiveTokenId", "EncryptMode", "IsEncrypt", "Encryption", "Algorithm", "Archive", "Size"),
    *("Text", "Type", "Drive", "SecretId", "x", ""),
    *("\u5bc6\u94a5", "\uff2bey", "K\u200bey", "\u041a\u0435\u0443", "Drive\u200b", "\u200b", "12"),
)


@pytest.mark.parametrize("name", [*SECRETS, *ODDLY_WRITTEN], ids=ascii)
def test_a_name_like_that_of_a_secret_is_one(name: str) -> None:
    """In any case, and wherever it is."""
    assert is_secret(name)
    assert redact({"a": [{name: "x"}]}) == {"a": [{name: REDACTED}]}


@pytest.mark.parametrize("path", SECRET_NODES)
@pytest.mark.parametrize("odd", ["\u200b", "\u034f", "\x08"], ids=ascii)
def test_a_path_to_a_secret_is_known_by_the_letters_of_its_names(path: str, odd: str) -> None:
    """As a name is that is secret anywhere."""
    spelled = ".".join(f"{name[0].lower()}{odd}{name[1:]}" for name in path.split("."))
    assert MARKER not in str(redact(planted(spelled)))


@pytest.mark.parametrize("name", ODDLY_WRITTEN, ids=ascii)
def test_no_record_holds_a_secret_whose_name_is_oddly_written(name: str) -> None:
    """JSON allows any character in a name."""
    body = json.dumps({"JobsDetail": {"JobId": "j1", "Tag": "New", "Operation": {name: MARKER}}})
    (record,) = records(body.encode())
    assert MARKER.encode() not in record.to_json()


@pytest.mark.parametrize("name", PLAIN)
def test_a_name_that_only_sounds_like_one_is_none(name: str) -> None:
    """The key of an object, the id of a key, and a user's TokenId are shown."""
    assert not is_secret(name)
    assert redact({name: "x"}) == {name: "x"}


@pytest.mark.parametrize("name", ["x-cos-security-token", "Authorization", "cookie", "X-Api-Key"])
@pytest.mark.parametrize("write", [as_xml, as_json])
@pytest.mark.parametrize("pair", ["Key", "Name"])
def test_the_value_of_a_secret_header_is_secret(name: str, write: Any, pair: str) -> None:
    """CosHeaders name it in Key and hold it in Value; neither `details` nor `input` shows it."""
    headers = [{pair: name, "Value": MARKER}, {pair: "x-cos-meta-a", "Value": "shown"}]
    for tree in (
        {"JobsDetail": {"JobId": "j1", "Tag": "New", "Input": {"CosHeaders": headers}}},
        {"EventName": "ReviewImage", "JobsDetail": {"JobId": "j1", "CosHeaders": headers}},
        {"WorkflowExecution": {"RunId": "i1", "CosHeaders": headers[0]}},
    ):
        (record,) = records(write(tree))
        assert MARKER.encode() not in record.to_json()
    assert redact(headers[0] | {"Value": ""}) == {pair: name, "Value": ""}  # type: ignore[arg-type]
    assert redact({"Value": MARKER, pair: name}) == {"Value": REDACTED, pair: name}
    assert redact(headers[1]) == headers[1]  # type: ignore[arg-type]


def test_the_key_of_a_review_is_known_by_its_path() -> None:
    """Many other nodes are called Key: those of headers, for one."""
    record = job(Encryption={"Algorithm": "aes", "Key": MARKER, "IV": MARKER}, Key="shown")
    assert record.details["Encryption"] == {"Algorithm": "aes", "Key": REDACTED, "IV": REDACTED}
    assert record.details["Key"] == "shown"


def test_many_names_are_looked_at_without_being_remembered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What a stranger sends takes up no memory of the process."""
    names = {f"name{number}": "x" for number in range(5_000)} | {"n" * 65: "x", "aKey" * 9: "x"}
    known: dict[str, tuple[bool, str]] = {}
    monkeypatch.setattr("handler.callback.redaction._KNOWN", known)
    assert redact(dict(names))
    assert 0 < len(known) <= 2_000
    assert "n" * 65 not in known


def test_an_empty_name_is_no_end_of_a_path() -> None:
    """JSON may hold one."""
    assert redact({"": "x"}) == {"": "x"}
    assert redact({"": {"": {"UriKey": "x"}}}) == {"": {"": {"UriKey": REDACTED}}}


ADDRESS = f"https://func.example.com/cb?token={MARKER}"


@pytest.mark.parametrize("name", ["CallBack", "Callback", "CallBackUrl", "call_back", "NotifyUrl"])
@pytest.mark.parametrize(
    "value",
    [
        ADDRESS,
        [ADDRESS],
        {"Url": ADDRESS},
        f"cb.example.com?{MARKER}",
        f"https://cb.example.com/{MARKER}",
    ],
)
@pytest.mark.parametrize("below", ["", "Operation", "Input", "Conf"])
def test_the_address_that_ci_calls_back_is_secret(name: str, value: Any, below: str) -> None:
    """It holds the token. What says that there is none stays."""
    path = f"{below}.{name}".lstrip(".")
    (record,) = records(as_json({"JobsDetail": planted(path, value)}))
    assert MARKER.encode() not in record.to_json()
    (record,) = records(as_json({"JobsDetail": planted(path, "no")}))
    assert REDACTED.encode() not in record.to_json()
    assert redact({name: ""}) == {name: ""}
