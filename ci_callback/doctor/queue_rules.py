"""Faults of a queue's NotifyConfig. Pure."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import SplitResult, parse_qs, urlsplit

from ci_callback.doctor.case import CONSOLE
from ci_callback.doctor.findings import Finding, fault, ok, warning
from handler.callback import tree
from handler.callback.tree import Tree
from handler.triggers.http import CALLBACK_PATHS


@dataclass(frozen=True)
class Expected:
    """The settings expected of a queue. host and path: "" where the command line has no URL."""

    host: str
    path: str
    tokens: tuple[str, ...]
    must_call: bool
    bucket: str


@dataclass(frozen=True)
class _NotifyConfig:
    """The settings of a queue. url: empty where it has none that can be read."""

    url: SplitResult
    state: str
    type: str
    event: str
    queue_state: str

    @property
    def shown(self) -> str:
        """The address without what may open a door: a path that is not ours may be a key."""
        path = self.url.path.rstrip("/") or "/"
        return f"{self.url.scheme}://{_host(self.url)}{path if path in CALLBACK_PATHS else '/…'}"


class Verdict(NamedTuple):
    """calls: whether it calls any address. ours: its QueueId where it calls this function."""

    finding: Finding
    calls: bool
    ours: str = ""


def judge(name: str, queue: Tree, expected: Expected) -> Verdict:
    """One queue of CI's answer: the first rule that finds something wrong speaks."""
    config = _NotifyConfig(
        _split(tree.text(queue, "NotifyConfig.Url") or ""),
        tree.text(queue, "NotifyConfig.State") or "",
        tree.text(queue, "NotifyConfig.Type") or "",
        tree.text(queue, "NotifyConfig.Event") or "",
        tree.text(queue, "State") or "",
    )
    fix = console_of(expected.bucket)
    for status, rule in _RULES:
        what = rule(config, expected)
        if what:
            is_fault = status == "fault" or (status == "off" and expected.must_call)
            finding = fault(name, what, fix) if is_fault else warning(name, what, fix)
            is_ours = status == "warning" and expected.host
            return Verdict(finding, status != "off", _id(queue) if is_ours else "")
    note = "" if "WorkflowFinish" in config.event else " (ends of workflow runs are not reported)"
    against = "calls this function" if expected.host else "calls"
    ours = _id(queue) if expected.host else ""
    return Verdict(ok(name, f"{against}, at {config.shown}{note}"), True, ours)


def _id(queue: Tree) -> str:
    return tree.text(queue, "QueueId") or ""


def _off(config: _NotifyConfig, expected: Expected) -> str:
    if config.state == "On" and (config.url.hostname or config.type == "TDMQ"):
        return ""
    what = "calls no address (NotifyConfig is off, or has no Url)"
    return f"{what}: right only where each job has a CallBack"


def _to_a_queue(config: _NotifyConfig, expected: Expected) -> str:
    if config.type in ("", "Url"):
        return ""
    what = f"calls a message queue ({config.type}), not a URL"
    return f"{what}: right only where the function has a trigger of it"


def _elsewhere(config: _NotifyConfig, expected: Expected) -> str:
    if not expected.host or _host(config.url) == expected.host:
        return ""
    return f"calls {config.shown}, not {expected.host}"


def _path(config: _NotifyConfig, expected: Expected) -> str:
    path = config.url.path.rstrip("/") or "/"
    if path in CALLBACK_PATHS or path == expected.path:
        return ""
    known = " and ".join(sorted(CALLBACK_PATHS))
    return f"calls {config.shown}, where the function answers 404: its paths are {known}"


def _no_token(config: _NotifyConfig, expected: Expected) -> str:
    if not expected.tokens or _tokens(config):
        return ""
    return f"calls {config.shown} without ?token=…: every callback is answered 401"


def _wrong_token(config: _NotifyConfig, expected: Expected) -> str:
    shown = _tokens(config)
    known = [
        hmac.compare_digest(token.encode("utf-8", "replace"), other.encode())
        for token in shown[:1]
        for other in expected.tokens
    ]
    if not expected.tokens or any(known):
        return ""
    what = f"calls {config.shown} with a token that CALLBACK_TOKENS does not have"
    return f"{what}: every callback is answered 401"


def _event(config: _NotifyConfig, expected: Expected) -> str:
    if "TaskFinish" in config.event:
        return ""
    return "has no TaskFinish in its Event: the end of a job is not reported"


def _paused(config: _NotifyConfig, expected: Expected) -> str:
    return "is paused: its jobs wait" if config.queue_state == "Paused" else ""


def _plain(config: _NotifyConfig, expected: Expected) -> str:
    if config.url.scheme == "https":
        return ""
    return f"calls {config.shown} by plain http: the token can be read on the way"


_RULES: tuple[tuple[str, Callable[[_NotifyConfig, Expected], str]], ...] = (
    ("off", _off),
    ("off", _to_a_queue),
    ("fault", _elsewhere),
    ("fault", _path),
    ("fault", _no_token),
    ("fault", _wrong_token),
    ("fault", _event),
    ("warning", _paused),
    ("warning", _plain),
)
"""off: a fault where the queue must call, else a warning."""


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url.strip())
        return parts if parts.scheme in ("http", "https") and parts.hostname else urlsplit("")
    except ValueError:
        return urlsplit("")


def _host(url: SplitResult) -> str:
    return url.netloc.rpartition("@")[2].lower()


def _tokens(config: _NotifyConfig) -> list[str]:
    return parse_qs(config.url.query).get("token", [])


def console_of(bucket: str) -> str:
    """The page where a queue is set right."""
    return (
        f"{CONSOLE}/ci, {bucket}, Jobs and workflows, Queues: callback on, TaskFinish, and the"
        " function's URL with ?token=… behind it"
    )
