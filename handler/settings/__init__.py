"""Settings from the environment: frozen, every problem reported at once, no secret in a repr.

rows.py has one row per variable, readers.py how its text is read.
"""

import functools
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple, TypeAlias

from handler.callback.limits import Limits
from handler.errors import Problem, SettingsError
from handler.ledger.bucket import Credentials
from handler.redaction.addresses import url_secrets
from handler.settings.readers import ConnectedQueue as ConnectedQueue
from handler.settings.readers import Destination as Destination
from handler.settings.readers import StoreUrl as StoreUrl
from handler.settings.rows import CALLBACK_TOKENS, ROWS, Row

MIN_LEASE_USE_S = 28
"""A sweep uses its lease for so long at least, once it has waited LEASE_WAIT_S for it: in less no
alert could be sent and no job submitted."""

Verify: TypeAlias = Literal["never", "failures", "always"]


_NOT_SHOWN = frozenset({"callback_tokens", "alert_urls", "forward_urls", "retry_callback_url"})
"""Attributes that hold secrets: they are left out of a repr."""


class Settings(NamedTuple):
    """The settings of the environment. Durations are in seconds, sizes in bytes."""

    ledger_url: StoreUrl
    spill_url: StoreUrl | None
    """Where callbacks go that the ledger does not accept."""
    region: str | None
    cos_endpoint: tuple[str, int] | None
    callback_tokens: tuple[str, ...]
    """Empty where `none` was written out: every request is accepted."""
    alert_urls: tuple[str, ...]
    alert_lang: Literal["zh", "en"]
    forward_urls: tuple[Destination, ...]
    """Where events go."""
    forward_allow_hosts: frozenset[str] | None
    """Hosts of these whose address may be a private one."""
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
    reconcile_queues: tuple[ConnectedQueue, ...]
    """The queues of which all tags are looked at, since they call this function."""
    missing_callback_alert_threshold: int
    sweep_max_submits: int
    workflow_retry: Literal["off", "trigger"]
    retry_callback_url: str | None
    max_body_bytes: int
    limits: Limits
    credentials: Credentials | None

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> "Settings":
        """Read everything.

        Raises:
            SettingsError: with every problem that was found.
        """
        # A warm invocation mostly finds the values of the one before, and settings are frozen.
        return _of_values(tuple(map(env.get, _NAMES)))

    def __repr__(self) -> str:
        shown = {name: value for name, value in self._asdict().items() if name not in _NOT_SHOWN}
        return f"Settings({', '.join(f'{name}={value!r}' for name, value in shown.items())})"

    @property
    def secrets(self) -> tuple[str, ...]:
        """Every text that must not appear in a log."""
        mine = self.credentials
        keys = (mine.secret_id, mine.secret_key, mine.session_token) if mine else ()
        urls = (*self.alert_urls, self.retry_callback_url)
        # Of no address nothing is asked: reading one imports urllib, 3 ms of a cold start.
        parts = (part for url in urls if url for part in url_secrets(url))
        forwarded = (part for to in self.forward_urls for part in to.secrets)
        return (*self.callback_tokens, *keys, *parts, *forwarded)

    @property
    def confirms_before_storing(self) -> bool:
        """VERIFY_CALLBACKS=always: no record is stored before CI has confirmed the end."""
        return self.verify_callbacks == "always"

    @property
    def confirms_before_retrying(self) -> bool:
        """VERIFY_CALLBACKS=failures or always: no job is submitted again before CI has confirmed
        that it failed."""
        return self.verify_callbacks != "never"


def tokens_from_env(env: Mapping[str, str]) -> tuple[str, ...] | None:
    """Only the callback tokens, for a request that arrives while other settings are invalid.

    None where they are missing or malformed.
    """
    text = _text(CALLBACK_TOKENS, env)
    try:
        tokens: tuple[str, ...] | None = None if text is None else CALLBACK_TOKENS.read(text)
    except ValueError:
        return None
    return tokens


def _read(env: Mapping[str, str]) -> Settings:
    problems: list[Problem] = []
    values: dict[str, Any] = {}  # each of its attribute's own type, as the rows read it
    for row in ROWS:
        text = _text(row, env)
        if text is None and row.required_in_scf:
            problems.append(Problem(row.variable, "nothing", row.expected))
            continue
        try:
            values[row.attribute] = None if text is None else row.read(text)
        except ValueError:
            shown = "a value that is not shown" if row.secret else repr((text or "")[:200])
            problems.append(Problem(row.variable, shown, row.expected))
    values["limits"] = Limits(
        *(values.pop(name, 0) for name in ("max_parse_bytes", "max_nodes", "max_depth"))
    )
    if values.get("region", "") is None:
        values["region"] = env.get("TENCENTCLOUD_REGION") or None
    values["credentials"] = _credentials(env)
    problems += _missing_for_cos(values) + _contradictions(values)
    if problems:
        raise SettingsError(problems)
    return Settings(**values)


def _text(row: Row, env: Mapping[str, str]) -> str | None:
    """A variable's text, else its default; None where there is neither."""
    in_scf = env.get("TENCENTCLOUD_RUNENV") == "SCF"
    default = None if in_scf and row.required_in_scf else row.default
    return env.get(row.variable, "").strip() or default


def _credentials(env: Mapping[str, str]) -> Credentials | None:
    names = ("TENCENTCLOUD_SECRETID", "TENCENTCLOUD_SECRETKEY", "TENCENTCLOUD_SESSIONTOKEN")
    secret_id, secret_key, token = (env.get(name, "").strip() for name in names)
    return Credentials(secret_id, secret_key, token) if secret_id and secret_key else None


def _missing_for_cos(values: Mapping[str, Any]) -> list[Problem]:
    """The parts of a store on COS besides its address."""
    urls = [values.get("ledger_url"), values.get("spill_url")]
    on_cos = [url for url in urls if url is not None and url.scheme == "cos"]
    missing = []
    if on_cos and values["credentials"] is None:
        missing.append(
            Problem(
                "TENCENTCLOUD_SECRETID, TENCENTCLOUD_SECRETKEY",
                "nothing",
                "both: your API keys; in SCF, the execution role of the function sets them",
            )
        )
    if any(url.region is None for url in on_cos) and values.get("region", "") is None:
        missing.append(Problem("COS_REGION", "nothing", "the bucket's region, as ap-guangzhou"))
    return missing


def _contradictions(values: Mapping[str, Any]) -> list[Problem]:
    """Settings of which each is valid, and which are wrong together."""
    orders = (("RETRY_BASE_S", "RETRY_CAP_S", 0), ("LEASE_WAIT_S", "LEASE_S", MIN_LEASE_USE_S))
    problems = [
        Problem(
            lower,
            str(values[lower.lower()]),
            f"at most {upper}{f' less {by}' if by else ''}; {upper} is {values[upper.lower()]}",
        )
        for lower, upper, by in orders
        if values.get(lower.lower(), 0) + by > values.get(upper.lower(), float("inf"))
    ]
    allowed = values.get("forward_allow_hosts") or ()
    problems += [
        Problem(
            "FORWARD_URLS", f"plain http to {to.host}", "https, or a host of FORWARD_ALLOW_HOSTS"
        )
        for to in values.get("forward_urls", ())
        if to.url.startswith("http:") and to.host not in allowed
    ]
    ledger, spill = values.get("ledger_url"), values.get("spill_url")
    if ledger and spill and ledger.place == spill.place:
        where = f"{spill.bucket or spill.path}, where LEDGER_URL is"
        problems.append(
            Problem("SPILL_URL", where, "another place, since it serves when that fails")
        )
    return problems


_NAMES = (
    "TENCENTCLOUD_RUNENV",
    "TENCENTCLOUD_REGION",
    "TENCENTCLOUD_SECRETID",
    "TENCENTCLOUD_SECRETKEY",
    "TENCENTCLOUD_SESSIONTOKEN",
    *(row.variable for row in ROWS),
)
"""All that is read of the environment."""


@functools.lru_cache(maxsize=4)
def _of_values(values: tuple[str | None, ...]) -> Settings:
    pairs = zip(_NAMES, values, strict=True)
    return _read({name: value for name, value in pairs if value is not None})
