"""One row per variable: its name, its attribute of Settings, how it is read, its default, and
the text that an error shows."""

from collections.abc import Callable
from typing import Any, NamedTuple

from handler.settings import readers

MAX_DEPTH_CEILING = 200
"""Some walks of a checked tree are recursive; Python's own limit is 1,000 calls."""


class Row(NamedTuple):
    """read: gives a value of the attribute's own type, which differs from row to row. expected:
    what an error says should be there. required_in_scf: no default applies there.
    secret: no error shows the value."""

    variable: str
    attribute: str
    read: Callable[[str], Any]
    default: str | None
    expected: str
    required_in_scf: bool = False
    secret: bool = False


def _count(variable: str, default: int, minimum: int, maximum: int, unit: str) -> Row:
    expected = f"a whole number of {unit} from {minimum} to {maximum}"
    read = readers.whole(minimum, maximum)
    return Row(variable, variable.lower(), read, str(default), expected)


def _choice(variable: str, default: str, *words: str) -> Row:
    return Row(variable, variable.lower(), readers.one_of(*words), default, " or ".join(words))


_CODES = "names of codes, separated by commas"

CALLBACK_TOKENS = Row(
    "CALLBACK_TOKENS",
    "callback_tokens",
    readers.tokens,
    "none",
    "tokens of printable ASCII without blanks, separated by commas, or only the word none",
    required_in_scf=True,
    secret=True,
)

ROWS: tuple[Row, ...] = (
    Row(
        "LEDGER_URL",
        "ledger_url",
        readers.store_url,
        "file:./ledger",
        "cos://bucket-appid/prefix or file:./path",
        required_in_scf=True,
    ),
    Row(
        "SPILL_URL",
        "spill_url",
        readers.spill_url,
        None,
        "cos://bucket-appid/prefix#region=ap-shanghai, another bucket than LEDGER_URL's, "
        "or file:./path",
    ),
    Row("COS_REGION", "region", readers.region, None, "a region such as ap-guangzhou"),
    Row("COS_ENDPOINT", "cos_endpoint", readers.endpoint, None, "http://host:port, only for tests"),
    CALLBACK_TOKENS,
    Row(
        "ALERT_URLS",
        "alert_urls",
        readers.alert_urls,
        "",
        "http(s), smtp(s) or apprise: addresses, separated by blanks",
        secret=True,
    ),
    _choice("ALERT_LANG", "en", "zh", "en"),
    Row(
        "FORWARD_URLS",
        "forward_urls",
        readers.forward_urls,
        "",
        "https addresses, separated by blanks, each with #secret=whsec_ and the base64 of 24 to 64 "
        "bytes, and if wanted &types=job.*,workflow.finished&tags=Transcode",
        secret=True,
    ),
    Row(
        "FORWARD_ALLOW_HOSTS",
        "forward_allow_hosts",
        readers.names,
        None,
        "hosts, separated by commas",
    ),
    _count("RETRY_MAX_ATTEMPTS", 3, 1, 99, "attempts"),
    _count("RETRY_BASE_S", 60, 1, 86_400, "seconds"),
    _count("RETRY_CAP_S", 3_600, 1, 604_800, "seconds"),
    Row("RETRY_CODES", "retry_codes", readers.names, None, _CODES),
    Row("ALERT_CODES", "alert_codes", readers.names, None, _CODES),
    _choice("ON_UNKNOWN_SUBMISSION", "resubmit", "resubmit", "hold"),
    _count("UNKNOWN_SUBMISSION_TIMEOUT_S", 900, 0, 86_400, "seconds"),
    _count("MISSING_CALLBACK_CHECK_S", 21_600, 1, 604_800, "seconds"),
    _count("LEASE_S", 120, 30, 3_600, "seconds"),
    Row(
        "LEASE_WAIT_S",
        "lease_wait_s",
        readers.decimal(0, 60),
        "2",
        "a number of seconds from 0 to 60",
    ),
    _choice("VERIFY_CALLBACKS", "failures", "never", "failures", "always"),
    Row(
        "ALLOWED_BUCKETS",
        "allowed_buckets",
        readers.names,
        None,
        "buckets or appids, separated by commas",
    ),
    Row("CI_BUCKET", "ci_bucket", readers.bucket, None, "a bucket with its appid: name-1250000000"),
    Row(
        "RECONCILE_TAGS",
        "reconcile_tags",
        readers.tags_and_hours,
        "",
        "tag and hours from 1 to 720: Transcode:6,Translation:24",
    ),
    Row(
        "RECONCILE_QUEUES",
        "reconcile_queues",
        readers.connected_queues,
        "",
        "QueueIds, each with when it was connected and each once: p22…@2026-11-27T10:40:00Z",
    ),
    _count("MISSING_CALLBACK_ALERT_THRESHOLD", 3, 1, 1_000_000, "callbacks"),
    # What a minute holds at the rate that CI's limits allow (retries/batches.py).
    _count("SWEEP_MAX_SUBMITS", 1_000, 1, 10_000, "re-submissions"),
    _choice("WORKFLOW_RETRY", "off", "off", "trigger"),
    Row(
        "RETRY_CALLBACK_URL",
        "retry_callback_url",
        readers.http_url,
        None,
        "an http(s) address",
        secret=True,
    ),
    # SCF accepts 6 MB in one synchronous request (document 583/11637).
    _count("MAX_BODY_BYTES", 5 * 1024 * 1024, 1_024, 6 * 1024 * 1024, "bytes"),
    # A longer body, or more nodes, costs a multiple of it in memory (make torture). It is stored
    # all the same, as a dead letter: a low limit loses nothing.
    _count("MAX_PARSE_BYTES", 2_097_152, 1_024, 6 * 1024 * 1024, "bytes"),
    _count("MAX_NODES", 80_000, 1_000, 1_000_000, "nodes"),
    _count("MAX_DEPTH", 64, 8, MAX_DEPTH_CEILING, "levels"),
)
