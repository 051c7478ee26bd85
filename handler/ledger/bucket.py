"""The address of a bucket and the credentials for it; the rules for names of buckets and
regions."""

from typing import NamedTuple

_DIGITS = frozenset("0123456789")
_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyz") | _DIGITS
_MAX_NAME_CHARS = 50
_APPID_DIGITS = range(5, 13)
_MIN_REGION_CHARS = 2
_MAX_REGION_CHARS = 40


def is_bucket_name(text: str) -> bool:
    """Whether a text is a bucket's whole name: NAME-APPID, as `records-1250000000`.

    NAME has lower-case letters, digits and hyphens, none at either end, and at most 50 characters.
    That is the longest that COS ever let users choose (436/13312: 40, then 50; today the host name
    BUCKET.cos.REGION.myqcloud.com may have 60), and makes at most 63, the length of a DNS label.
    """
    # Without a regular expression: compiling one is a part of each cold start.
    name, _, appid = text.rpartition("-")
    is_appid = len(appid) in _APPID_DIGITS and _DIGITS.issuperset(appid)
    fits = 0 < len(name) <= _MAX_NAME_CHARS and "-" not in name[:1] + name[-1:]
    return is_appid and fits and _LETTERS.issuperset(name.replace("-", ""))


def is_region_name(text: str) -> bool:
    """Whether a text can be a region's name, as `ap-guangzhou` (436/6224). It becomes a part of a
    host name, so it holds no dot; the SDK, which signs requests, refuses a single character."""
    fits = _MIN_REGION_CHARS <= len(text) <= _MAX_REGION_CHARS
    return fits and all(part and _LETTERS.issuperset(part) for part in text.split("-"))


class Credentials(NamedTuple):
    """Keys of a CAM identity; session_token is "" for permanent ones. Never printed."""

    secret_id: str
    secret_key: str
    session_token: str

    def __repr__(self) -> str:
        return "Credentials()"


class BucketAddress(NamedTuple):
    """Where a ledger's bucket is. prefix is "" or ends with a slash.

    endpoint: host and port to connect to by plain http in place of COS, for tests; the Host header
    stays COS's.
    """

    bucket: str
    prefix: str
    region: str
    endpoint: tuple[str, int] | None = None
