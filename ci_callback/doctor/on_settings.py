"""The environment: faults, and valid settings with surprising effects."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from urllib.parse import parse_qs, quote, urlsplit

from ci_callback.doctor.findings import EXIT_SETTINGS, Finding, fault, ok, skipped, warning
from handler.alerts.channels import channels
from handler.alerts.mail import MailError, read_route
from handler.errors import SettingsError
from handler.run import MAX_TASK_S
from handler.settings import Settings

SHORT_TOKEN_CHARS = 16
MAKE_TOKEN = 'python3 -c "import secrets; print(secrets.token_urlsafe(32))"'  # noqa: S105  # a command
_KEYS = "TENCENTCLOUD_"
KEYS_HERE = (
    "set them in the environment of this machine: keys of yours, with the rights that "
    "docs/operator-policy.json has; never in serverless.yml, since the function has its role's"
)
WHERE = "set it in the environment, and under environment.variables in serverless.yml"

MIN_UNKNOWN_SUBMISSION_TIMEOUT_S = 300
"""How soon a new job shows in CI's lists is stated nowhere: below that, a job that was taken
may be submitted again."""

_SECRET_VARIABLES = (
    "CALLBACK_TOKENS",
    "ALERT_URLS",
    "RETRY_CALLBACK_URL",
    "TENCENTCLOUD_SECRETID",
    "TENCENTCLOUD_SECRETKEY",
    "TENCENTCLOUD_SESSIONTOKEN",
)
_ALL_DEPEND_ON = frozenset({"LEDGER_URL", "COS_REGION", "COS_ENDPOINT", "CALLBACK_TOKENS"})
"""Where one of these is wrong, the other checks would look at something else than is meant."""


def read(env: Mapping[str, str]) -> tuple[Settings | None, list[Finding]]:
    """The settings, and each problem. Wrong ones are left at their defaults for the other checks;
    None where those need them."""
    try:
        return Settings.from_env(env), []
    except SettingsError as error:
        problems = error.problems
    findings = [
        fault(
            f"settings {problem.variable}",
            f"found {problem.found}, expected {problem.expected}",
            KEYS_HERE if problem.variable.startswith(_KEYS) else WHERE,
            EXIT_SETTINGS,
        )
        for problem in problems
    ]
    wrong = {problem.variable for problem in problems}
    if wrong & _ALL_DEPEND_ON:
        return None, findings
    try:
        rest = {name: value for name, value in env.items() if name not in wrong}
        return Settings.from_env(rest), findings
    except SettingsError:
        return None, findings


def secrets_of(env: Mapping[str, str], settings: Settings | None) -> set[str]:
    """Every text of the environment that must not be shown, whether it can be read or not."""
    texts = set(settings.secrets) if settings else set()
    for name in _SECRET_VARIABLES:
        text = env.get(name, "").strip()
        texts |= {text, *(part.strip() for part in text.split(",")), *text.split()}
    if settings and settings.retry_callback_url:
        texts |= {
            value for values in _query(settings.retry_callback_url).values() for value in values
        }
    # "none" means no token.
    return texts - {"", "none"}


def opinions(settings: Settings) -> list[Finding]:
    """Settings that will surprise, and the state of the credentials."""
    findings = [finding for rule in _RULES for finding in rule(settings)]
    if not any(finding.status in ("warning", "fault") for finding in findings):
        findings.insert(0, ok("settings", "all can be read, and fit together"))
    return findings


def _tokens(settings: Settings) -> Iterator[Finding]:
    name = "settings CALLBACK_TOKENS"
    tokens = settings.callback_tokens
    if not tokens:
        yield warning(
            name,
            "none: everyone who knows the function's URL can write records",
            f"{MAKE_TOKEN}; {WHERE}",
        )
    short = sum(len(token) < SHORT_TOKEN_CHARS for token in tokens)
    if short:
        yield warning(
            name,
            f"{short} of {len(tokens)} are shorter than {SHORT_TOKEN_CHARS} characters, and may be"
            " guessed",
            MAKE_TOKEN,
        )
    if any(quote(token, safe="-._~") != token for token in tokens):
        yield warning(
            name,
            "one has characters that must be percent-encoded in the URL of a queue",
            f"use letters and digits: {MAKE_TOKEN}",
        )


def _alerts(settings: Settings) -> Iterator[Finding]:
    name = "settings ALERT_URLS"
    if not settings.alert_urls:
        yield warning(
            name,
            "none: alerts reach no one; they are in the log and under _undelivered/",
            f"ALERT_URLS='https://…', the address that your robot shows; {WHERE}",
        )
    for channel in channels(settings.alert_urls):
        if channel.service == "unknown":
            yield fault(
                name,
                f"no way is known to send to {channel.label}",
                "README.md, Settings: ALERT_URLS",
            )
        if channel.service == "mail":
            try:
                read_route(channel.url)
            except MailError as error:
                yield fault(name, str(error), "smtps://user:password@host/?to=a@example.com")


def _clocks(settings: Settings) -> Iterator[Finding]:
    if settings.lease_s <= MAX_TASK_S:
        yield fault(
            "settings LEASE_S",
            f"{settings.lease_s} s: a sweep may run for {MAX_TASK_S:g} s and outlive its lease,"
            " so that two sweeps submit at once",
            "LEASE_S=120, or longer",
        )
    if settings.unknown_submission_timeout_s < MIN_UNKNOWN_SUBMISSION_TIMEOUT_S:
        yield warning(
            "settings UNKNOWN_SUBMISSION_TIMEOUT_S",
            f"{settings.unknown_submission_timeout_s} s: a job that CI accepted and "
            "does not list yet is submitted once more",
            "UNKNOWN_SUBMISSION_TIMEOUT_S=900",
        )
    if settings.missing_callback_check_s < settings.unknown_submission_timeout_s:
        yield warning(
            "settings MISSING_CALLBACK_CHECK_S",
            f"{settings.missing_callback_check_s} s, shorter than UNKNOWN_SUBMISSION_TIMEOUT_S "
            f"({settings.unknown_submission_timeout_s} s): new jobs are asked about before CI need "
            "know them",
            "MISSING_CALLBACK_CHECK_S=21600",
        )
    if settings.lease_wait_s < 1 and settings.ledger_url.scheme == "cos":
        yield warning(
            "settings LEASE_WAIT_S",
            f"{settings.lease_wait_s:g} s: listings of COS may lag by more, and two sweeps run"
            " at once",
            "LEASE_WAIT_S=2",
        )


def _verification(settings: Settings) -> Iterator[Finding]:
    if not settings.confirms_before_retrying:
        yield warning(
            "settings VERIFY_CALLBACKS",
            "never: every callback is trusted, so anyone with a token can have any job submitted",
            "VERIFY_CALLBACKS=failures",
        )


def _endpoint(settings: Settings) -> Iterator[Finding]:
    if settings.cos_endpoint:
        host, port = settings.cos_endpoint
        yield warning(
            "settings COS_ENDPOINT",
            f"{host}:{port} is used instead of COS and CI, by plain http: only for tests",
            "unset COS_ENDPOINT",
        )


def _callback_url(settings: Settings) -> Iterator[Finding]:
    url = settings.retry_callback_url
    shown = _query(url).get("token", []) if url else []
    if url and settings.callback_tokens and not set(shown) & set(settings.callback_tokens):
        yield fault(
            "settings RETRY_CALLBACK_URL",
            "holds no token of CALLBACK_TOKENS: callbacks of re-submitted jobs are answered 401",
            "add ?token=… to it",
        )


def _credentials(settings: Settings) -> Iterator[Finding]:
    mine = settings.credentials
    if mine is None:
        yield skipped("credentials", "there are none, and a folder needs none")
    else:
        kind = "temporary, with a session token" if mine.session_token else "permanent"
        yield ok(
            "credentials", f"TENCENTCLOUD_SECRETID and TENCENTCLOUD_SECRETKEY are set ({kind})"
        )


def _query(url: str) -> dict[str, list[str]]:
    return parse_qs(urlsplit(url).query)


_RULES: tuple[Callable[[Settings], Iterator[Finding]], ...] = (
    _tokens,
    _alerts,
    _clocks,
    _verification,
    _endpoint,
    _callback_url,
    _credentials,
)
