"""Readers of one variable's text. Each returns its value, or raises ValueError."""

import os
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Literal, NamedTuple

from handler.ledger.bucket import is_bucket_name, is_region_name

if TYPE_CHECKING:
    from pathlib import Path

_PREFIX_CHARS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-")
_ENDPOINT = r"http://([A-Za-z0-9.-]+|\[[0-9A-Fa-f:]+\]):([0-9]{1,5})/?"
_NAME = r"[A-Za-z0-9_.-]+"
_CONNECTED = (
    r"([A-Za-z0-9_-]{1,64})@"
    r"(20\d\d-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\dZ)"
)

MAX_PREFIX_CHARS = 200
_MAX_PORT = 65_535
_MAX_DIGITS = 12


class StoreUrl(NamedTuple):
    """cos: a bucket, a prefix ("" or with a slash behind it), and its region where the address
    names one. file: a folder."""

    scheme: Literal["cos", "file"]
    bucket: str = ""
    prefix: str = ""
    path: str = ""
    region: str | None = None

    @property
    def place(self) -> str:
        """What fails as a whole: the bucket, or the folder."""
        return f"cos:{self.bucket}" if self.scheme == "cos" else os.path.abspath(self.path)

    @property
    def folder(self) -> "Path":
        """The folder of a `file:` address."""
        from pathlib import Path  # a store on COS does not need it, and it takes 3 ms

        return Path(self.path)


def store_url(text: str) -> StoreUrl:
    """`cos://bucket-appid/prefix`, or `file:./path`."""
    if text.startswith("file:"):
        path = text.removeprefix("file:")
        path = path.removeprefix("//") if path.startswith("///") else path
        if not path.strip() or "\0" in path or path.startswith("//"):
            raise ValueError
        return StoreUrl("file", path=path)
    if not text.startswith("cos://"):
        raise ValueError
    name, _, prefix = text.removeprefix("cos://").partition("/")
    prefix = prefix.strip("/")
    if prefix and (len(prefix) > MAX_PREFIX_CHARS or not all(map(_is_folder, prefix.split("/")))):
        raise ValueError
    return StoreUrl("cos", bucket(name), prefix + "/" if prefix else "")


def _is_folder(name: str) -> bool:
    return bool(name) and name not in (".", "..") and _PREFIX_CHARS.issuperset(name)


def spill_url(text: str) -> StoreUrl:
    """The same, where a bucket may be in another region: `cos://…#region=ap-shanghai`."""
    address, _, option = text.partition("#")
    if text.startswith("file:") or not option:
        return store_url(text)
    name, _, value = option.partition("=")
    url = store_url(address)
    if name != "region":
        raise ValueError
    return StoreUrl("cos", url.bucket, url.prefix, region=region(value))


def tokens(text: str) -> tuple[str, ...]:
    """Tokens separated by commas; none of the word `none`."""
    if text == "none":
        return ()
    values = tuple(token.strip() for token in text.split(","))
    if not all(
        token.isascii() and token.isprintable() and token and " " not in token for token in values
    ):
        raise ValueError
    if "none" in values:
        raise ValueError
    return values


def endpoint(text: str) -> tuple[str, int]:
    """Host and port of `http://host:port`."""
    parts = re.fullmatch(_ENDPOINT, text)
    if parts is None or int(parts[2]) > _MAX_PORT:
        raise ValueError
    return parts[1].lower().strip("[]"), int(parts[2])


def alert_urls(text: str) -> tuple[str, ...]:
    """Addresses separated by blanks."""
    urls = tuple(text.split())
    if not urls:
        return ()
    from urllib.parse import urlsplit

    for url in urls:
        scheme = url.partition(":")[0].lower()
        if scheme not in ("http", "https", "smtp", "smtps", "apprise"):
            raise ValueError
        if scheme != "apprise" and not urlsplit(url).hostname:
            raise ValueError
    return urls


class Destination(NamedTuple):
    """Where events go. id: the first 16 hex digits of the SHA-256 of the address without what is
    behind its #: another secret or other filters leave it as it is. All but url, secret and secrets
    may be stored, logged and shown.

    url: without the fragment. secret: base64 of the key that signs. types: patterns of the types
    that are sent. tags: those of the jobs; None: all.
    """

    id: str
    host: str
    url: str
    secret: str
    types: tuple[str, ...]
    tags: frozenset[str] | None
    secrets: tuple[str, ...]

    def __repr__(self) -> str:
        return f"Destination({self.id}, {self.host})"


def forward_urls(text: str) -> tuple[Destination, ...]:
    """Addresses separated by blanks, each once."""
    if not text.strip():
        return ()
    # Imported here: few functions forward events.
    from handler.settings.destinations import read_destination

    made = [read_destination(url) for url in text.split()]
    return tuple({destination.id: destination for destination in made}.values())


def http_url(text: str) -> str:
    from urllib.parse import urlsplit

    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname or " " in text:
        raise ValueError
    return text


def names(text: str) -> frozenset[str]:
    """Names separated by commas; at least one."""
    values = frozenset(name.strip() for name in text.split(",") if name.strip())
    if not values or not all(re.fullmatch(_NAME, name) for name in values):
        raise ValueError
    return values


def bucket(text: str) -> str:
    if not is_bucket_name(text):
        raise ValueError
    return text


def region(text: str) -> str:
    if not is_region_name(text):
        raise ValueError
    return text


def tags_and_hours(text: str) -> tuple[tuple[str, int], ...]:
    """Pairs of tag and hours: `Transcode:6,Translation:24`."""
    pairs = []
    for pair in text.split(",") if text else ():
        tag, _, hours = pair.strip().partition(":")
        if not re.fullmatch(_NAME, tag):
            raise ValueError
        pairs.append((tag, whole(1, 720)(hours)))
    return tuple(pairs)


class ConnectedQueue(NamedTuple):
    """A queue of CI's whose address is this function's. since: RFC 3339 in UTC, whole seconds."""

    queue_id: str
    since: str


def connected_queues(text: str) -> tuple[ConnectedQueue, ...]:
    """QueueIds, each with when it was connected: `p2242ab62c7c9@2026-11-27T10:40:00Z,…`."""
    found = [re.fullmatch(_CONNECTED, entry.strip()) for entry in text.split(",")] if text else []
    queues = tuple(ConnectedQueue(*match.groups()) for match in found if match)
    if len({queue.queue_id for queue in queues}) < len(found):
        raise ValueError
    return queues


def whole(minimum: int, maximum: int) -> Callable[[str], int]:
    """A reader of whole numbers."""

    def read(text: str) -> int:
        if not text.isascii() or not text.isdigit() or len(text) > _MAX_DIGITS:
            raise ValueError
        if not minimum <= int(text) <= maximum:
            raise ValueError
        return int(text)

    return read


def decimal(minimum: float, maximum: float) -> Callable[[str], float]:
    """A reader of numbers."""

    def read(text: str) -> float:
        value = float(text)
        if not minimum <= value <= maximum:
            raise ValueError
        return value

    return read


def one_of(*words: str) -> Callable[[str], str]:
    """A reader of one of several words."""

    def read(text: str) -> str:
        if text not in words:
            raise ValueError
        return text

    return read
