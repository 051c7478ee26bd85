"""Settings from the environment: frozen, every problem reported at once, no secret in a repr.

One row a variable: what it is called, how it is read, what is expected of it.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

from handler.callback.limits import Limits
from handler.errors import Problem, SettingsError
from handler.ledger.bucket import Credentials
from handler.redaction import url_secrets

if TYPE_CHECKING:
    from pathlib import Path

Verify: TypeAlias = Literal["never", "failures", "always"]

MAX_DEPTH_CEILING = 200
"""Some walks of a checked tree are recursive; Python's own limit is 1,000 calls."""

_BUCKET = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,48}[a-z0-9])?-[0-9]{5,12}")
_PREFIX = re.compile(r"[A-Za-z0-9_.-]+(?:/[A-Za-z0-9_.-]+)*")
_REGION = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_ENDPOINT = re.compile(r"http://([A-Za-z0-9.-]+|\[[0-9A-Fa-f:]+\]):([0-9]{1,5})/?")
_NAME = re.compile(r"[A-Za-z0-9_.-]+")


@dataclass(frozen=True)
class LedgerUrl:
    """cos: a bucket and a prefix ("" or with a slash behind it). file: a folder."""

    scheme: Literal["cos", "file"]
    bucket: str = ""
    prefix: str = ""
    path: str = ""

    @property
    def folder(self) -> Path:
        """The folder of a `file:` address."""
        from pathlib import Path  # COS needs it not, and it is 3 ms of a cold start

        return Path(self.path)


@dataclass(frozen=True, eq=False)  # nobody compares them, and each method costs a cold start
class Settings:
    """All that the environment says. Durations are in seconds, sizes in bytes."""

    ledger_url: LedgerUrl
    region: str | None
    cos_endpoint: tuple[str, int] | None
    callback_tokens: tuple[str, ...] = field(repr=False)
    """Empty where `none` was written out: every request is let in."""
    alert_urls: tuple[str, ...] = field(repr=False)
    alert_lang: Literal["zh", "en"]
    retry_max_attempts: int
    retry_base_s: int
    retry_cap_s: int
    retry_codes: frozenset[str] | None
    alert_codes: frozenset[str] | None
    on_unknown_submission: Literal["resubmit", "hold"]
    unknown_submission_timeout_s: int
    missing_callback_check_s: int
    lease_s: int
    lease_wait_s: float
    verify_callbacks: Verify
    allowed_buckets: frozenset[str] | None
    ci_bucket: str | None
    reconcile_tags: tuple[tuple[str, int], ...]
    """Pairs of tag and hours to look back."""
    missing_callback_alert_threshold: int
    sweep_max_submits: int
    workflow_retry: Literal["off", "trigger"]
    retry_callback_url: str | None = field(repr=False)
    max_body_bytes: int
    limits: Limits
    credentials: Credentials | None

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Settings:
        """Read everything.

        Raises:
            SettingsError: with every problem that was found.
        """
        # Warm invocations mostly find what the one before found, and its reading is frozen.
        return _of_values(tuple(map(env.get, _NAMES)))

    @classmethod
    def _read(cls, env: Mapping[str, str]) -> Settings:
        problems: list[Problem] = []
        read: dict[str, Any] = {}
        in_scf = env.get("TENCENTCLOUD_RUNENV") == "SCF"
        for row in _ROWS:
            default = row.default
            if in_scf and row.required_in_scf:
                default = None
            sent = env.get(row.variable, "").strip() or default
            if sent is None and row.required_in_scf:
                problems.append(Problem(row.variable, "nothing", row.expected))
                continue
            try:
                read[row.attribute] = None if sent is None else row.read(sent)
            except ValueError:
                found = "a value that is not shown" if row.secret else repr((sent or "")[:200])
                problems.append(Problem(row.variable, found, row.expected))
        read["limits"] = Limits(
            *(read.pop(name, 0) for name in ("max_parse_bytes", "max_nodes", "max_depth"))
        )
        if read.get("region", "") is None:
            read["region"] = env.get("TENCENTCLOUD_REGION") or None
        read["credentials"] = _credentials(env)
        problems += _missing_for_cos(read) + _at_odds(read)
        if problems:
            raise SettingsError(problems)
        return cls(**read)

    @property
    def secrets(self) -> tuple[str, ...]:
        """Every text that must not appear in a log."""
        mine = self.credentials
        keys = (mine.secret_id, mine.secret_key, mine.session_token) if mine else ()
        urls = (*self.alert_urls, self.retry_callback_url or "")
        return (*self.callback_tokens, *keys, *(part for url in urls for part in url_secrets(url)))


def tokens_from_env(env: Mapping[str, str]) -> tuple[str, ...] | None:
    """The callback tokens alone, for a request that comes while other settings are wrong.

    None where they can't be told.
    """
    try:
        return _tokens(env.get("CALLBACK_TOKENS", "").strip())
    except ValueError:
        return None


def _credentials(env: Mapping[str, str]) -> Credentials | None:
    names = ("TENCENTCLOUD_SECRETID", "TENCENTCLOUD_SECRETKEY", "TENCENTCLOUD_SESSIONTOKEN")
    secret_id, secret_key, token = (env.get(name, "").strip() for name in names)
    return Credentials(secret_id, secret_key, token) if secret_id and secret_key else None


def _missing_for_cos(read: Mapping[str, Any]) -> list[Problem]:
    """What a ledger on COS needs besides."""
    url = read.get("ledger_url")
    if url is None or url.scheme != "cos":
        return []
    missing = []
    if read["credentials"] is None:
        missing.append(
            Problem(
                "TENCENTCLOUD_SECRETID, TENCENTCLOUD_SECRETKEY",
                "nothing",
                "both: SCF sets them where the function has an execution role",
            )
        )
    if read.get("region", "") is None:
        missing.append(Problem("COS_REGION", "nothing", "the bucket's region, as ap-guangzhou"))
    return missing


def _at_odds(read: Mapping[str, Any]) -> list[Problem]:
    """Settings that are right each by itself and wrong together."""
    orders = (("RETRY_BASE_S", "RETRY_CAP_S"), ("LEASE_WAIT_S", "LEASE_S"))
    return [
        Problem(lower, str(read[lower.lower()]), f"at most {upper}, which is {read[upper.lower()]}")
        for lower, upper in orders
        if read.get(lower.lower(), 0) > read.get(upper.lower(), float("inf"))
    ]


# --- readers: each raises ValueError for what it does not take ----------------------------


def _ledger_url(sent: str) -> LedgerUrl:
    if sent.startswith("file:"):
        path = sent.removeprefix("file:")
        path = path.removeprefix("//") if path.startswith("///") else path
        if not path.strip() or "\0" in path or path.startswith("//"):
            raise ValueError
        return LedgerUrl("file", path=path)
    bucket, _, prefix = sent.removeprefix("cos://").partition("/")
    prefix = prefix.strip("/")
    dots = any(part in (".", "..") for part in prefix.split("/"))
    if not sent.startswith("cos://") or not _BUCKET.fullmatch(bucket):
        raise ValueError
    if prefix and (dots or len(prefix) > 200 or not _PREFIX.fullmatch(prefix)):
        raise ValueError
    return LedgerUrl("cos", bucket, prefix + "/" if prefix else "")


def _tokens(sent: str) -> tuple[str, ...]:
    if sent == "none":
        return ()
    tokens = tuple(token.strip() for token in sent.split(","))
    if not all(
        token.isascii() and token.isprintable() and token and " " not in token for token in tokens
    ):
        raise ValueError
    if "none" in tokens:
        raise ValueError
    return tokens


def _endpoint(sent: str) -> tuple[str, int]:
    parts = _ENDPOINT.fullmatch(sent)
    if parts is None or int(parts[2]) > 65_535:
        raise ValueError
    return parts[1].lower().strip("[]"), int(parts[2])


def _alert_urls(sent: str) -> tuple[str, ...]:
    urls = tuple(sent.split())
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


def _http_url(sent: str) -> str:
    from urllib.parse import urlsplit

    parts = urlsplit(sent)
    if parts.scheme not in ("http", "https") or not parts.hostname or " " in sent:
        raise ValueError
    return sent


def _names(sent: str) -> frozenset[str]:
    names = frozenset(name.strip() for name in sent.split(",") if name.strip())
    if not names or not all(_NAME.fullmatch(name) for name in names):
        raise ValueError
    return names


def _bucket(sent: str) -> str:
    if not _BUCKET.fullmatch(sent):
        raise ValueError
    return sent


def _region(sent: str) -> str:
    if not _REGION.fullmatch(sent) or len(sent) > 40:
        raise ValueError
    return sent


def _tags_and_hours(sent: str) -> tuple[tuple[str, int], ...]:
    pairs = []
    for pair in sent.split(",") if sent else ():
        tag, _, hours = pair.strip().partition(":")
        if not _NAME.fullmatch(tag):
            raise ValueError
        pairs.append((tag, _whole(1, 720)(hours)))
    return tuple(pairs)


def _whole(least: int, most: int) -> Callable[[str], int]:
    def read(sent: str) -> int:
        if not sent.isascii() or not sent.isdigit() or len(sent) > 12:
            raise ValueError
        if not least <= int(sent) <= most:
            raise ValueError
        return int(sent)

    return read


def _decimal(least: float, most: float) -> Callable[[str], float]:
    def read(sent: str) -> float:
        value = float(sent)
        if not least <= value <= most:
            raise ValueError
        return value

    return read


def _one_of(*words: str) -> Callable[[str], str]:
    def read(sent: str) -> str:
        if sent not in words:
            raise ValueError
        return sent

    return read


class _Row(NamedTuple):
    variable: str
    attribute: str
    read: Callable[[str], Any]
    default: str | None
    expected: str
    required_in_scf: bool = False
    secret: bool = False


def _count(variable: str, default: int, least: int, most: int, unit: str) -> _Row:
    expected = f"a whole number of {unit} from {least} to {most}"
    return _Row(variable, variable.lower(), _whole(least, most), str(default), expected)


def _choice(variable: str, default: str, *words: str) -> _Row:
    return _Row(variable, variable.lower(), _one_of(*words), default, " or ".join(words))


_CODES = "names of codes, separated by commas"

_ROWS: tuple[_Row, ...] = (
    _Row(
        "LEDGER_URL",
        "ledger_url",
        _ledger_url,
        "file:./ledger",
        "cos://bucket-appid/prefix or file:./path",
        required_in_scf=True,
    ),
    _Row("COS_REGION", "region", _region, None, "a region such as ap-guangzhou"),
    _Row("COS_ENDPOINT", "cos_endpoint", _endpoint, None, "http://host:port, for tests alone"),
    _Row(
        "CALLBACK_TOKENS",
        "callback_tokens",
        _tokens,
        "none",
        "tokens of printable ASCII without blanks, separated by commas, or the word none alone",
        required_in_scf=True,
        secret=True,
    ),
    _Row(
        "ALERT_URLS",
        "alert_urls",
        _alert_urls,
        "",
        "http(s), smtp(s) or apprise: addresses, separated by blanks",
        secret=True,
    ),
    _choice("ALERT_LANG", "en", "zh", "en"),
    _count("RETRY_MAX_ATTEMPTS", 3, 1, 99, "attempts"),
    _count("RETRY_BASE_S", 60, 1, 86_400, "seconds"),
    _count("RETRY_CAP_S", 3_600, 1, 604_800, "seconds"),
    _Row("RETRY_CODES", "retry_codes", _names, None, _CODES),
    _Row("ALERT_CODES", "alert_codes", _names, None, _CODES),
    _choice("ON_UNKNOWN_SUBMISSION", "resubmit", "resubmit", "hold"),
    _count("UNKNOWN_SUBMISSION_TIMEOUT_S", 900, 0, 86_400, "seconds"),
    _count("MISSING_CALLBACK_CHECK_S", 21_600, 1, 604_800, "seconds"),
    _count("LEASE_S", 120, 1, 3_600, "seconds"),
    _Row("LEASE_WAIT_S", "lease_wait_s", _decimal(0, 60), "2", "a number of seconds from 0 to 60"),
    _choice("VERIFY_CALLBACKS", "failures", "never", "failures", "always"),
    _Row(
        "ALLOWED_BUCKETS", "allowed_buckets", _names, None, "buckets or appids, separated by commas"
    ),
    _Row("CI_BUCKET", "ci_bucket", _bucket, None, "a bucket with its appid: name-1250000000"),
    _Row(
        "RECONCILE_TAGS",
        "reconcile_tags",
        _tags_and_hours,
        "",
        "tag and hours from 1 to 720: Transcode:6,Translation:24",
    ),
    _count("MISSING_CALLBACK_ALERT_THRESHOLD", 3, 1, 1_000_000, "callbacks"),
    _count("SWEEP_MAX_SUBMITS", 50, 1, 10_000, "re-submissions"),
    _choice("WORKFLOW_RETRY", "off", "off", "trigger"),
    _Row(
        "RETRY_CALLBACK_URL",
        "retry_callback_url",
        _http_url,
        None,
        "an http(s) address",
        secret=True,
    ),
    # SCF takes 6 MB in one synchronous request (document 583/11637).
    _count("MAX_BODY_BYTES", 5 * 1024 * 1024, 1_024, 6 * 1024 * 1024, "bytes"),
    # What a longer body, or more nodes, would cost in memory is a multiple of it (make torture).
    # It is kept all the same, as a dead letter: nothing is lost by a low limit.
    _count("MAX_PARSE_BYTES", 2_097_152, 1_024, 6 * 1024 * 1024, "bytes"),
    _count("MAX_NODES", 80_000, 1_000, 1_000_000, "nodes"),
    _count("MAX_DEPTH", 64, 8, MAX_DEPTH_CEILING, "levels"),
)

_NAMES = (
    "TENCENTCLOUD_RUNENV",
    "TENCENTCLOUD_REGION",
    "TENCENTCLOUD_SECRETID",
    "TENCENTCLOUD_SECRETKEY",
    "TENCENTCLOUD_SESSIONTOKEN",
    *(row.variable for row in _ROWS),
)
"""All that is read of the environment."""


@functools.lru_cache(maxsize=4)
def _of_values(values: tuple[str | None, ...]) -> Settings:
    pairs = zip(_NAMES, values, strict=True)
    return Settings._read({name: value for name, value in pairs if value is not None})
