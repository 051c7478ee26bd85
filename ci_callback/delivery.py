"""Callbacks over HTTP, some at a time, each answered and timed: what `send` does.

Headers are those of the one callback whose capture was published, as events.py has them.
"""

from __future__ import annotations

import ipaddress
import itertools
import math
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlencode, urlsplit

from ci_callback.events import http_event
from handler.errors import NoAnswerError
from handler.http_client import HttpClient

QUANTILES = (0.5, 0.9, 0.99)


class NoTargetError(ValueError):
    """An address that no callback can be sent to."""


@dataclass(frozen=True)
class Target:
    """Where callbacks go. shown: the address without its query, which may hold a secret."""

    url: str = field(repr=False)
    shown: str
    is_loopback: bool
    has_token: bool

    @classmethod
    def of(cls, address: str) -> Target:
        """Read an address.

        Raises:
            NoTargetError: it is no http or https address with a host.
        """
        try:
            parts = urlsplit(address)
            port = f":{parts.port}" if parts.port else ""
        except ValueError as error:
            raise NoTargetError("no address: its host or port can't be read") from error
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username:
            raise NoTargetError("an address such as http://127.0.0.1:9000/ is expected")
        host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
        query = parse_qsl(parts.query, keep_blank_values=True)
        return cls(
            parts._replace(path=parts.path or "/", fragment="").geturl(),
            f"{parts.scheme}://{host}{port}{parts.path or '/'}",
            _is_loopback(parts.hostname),
            any(name == "token" for name, _ in query),
        )

    def with_token(self, token: str) -> Target:
        """The same with ?token=… behind it."""
        joint = "&" if urlsplit(self.url).query else "?"
        url = f"{self.url}{joint}{urlencode({'token': token})}"
        return Target(url, self.shown, self.is_loopback, True)


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@dataclass(frozen=True)
class Callback:
    """What is sent. job_id: None where the body was not made here."""

    job_id: str | None
    body: bytes
    content_version: str | None = None


@dataclass(frozen=True)
class Answered:
    """What came of one. status: None where there was no answer, and `error` says why."""

    job_id: str | None
    status: int | None
    ms: float
    body: bytes
    error: str = ""
    may_have_arrived: bool = True

    @property
    def is_well(self) -> bool:
        """Whether the callback is taken."""
        return self.status is not None and 200 <= self.status < 300


@dataclass(frozen=True)
class Figures:
    """Of many deliveries. ms: of those that were answered, at the quantiles and the most."""

    sent: int
    answers: dict[str, int]
    errors: dict[str, int]
    seconds: float
    per_second: float
    ms: dict[str, float]


def deliver(
    target: Target,
    make: Callable[[int], Callback],
    count: int,
    at_a_time: int,
    timeout_s: float,
) -> list[Answered]:
    """POST `count` callbacks, in the order of their numbers from 0 on. Ends early where no
    connection can be made."""
    numbers = itertools.count()
    hopeless = threading.Event()
    taking = threading.Lock()

    def work() -> list[Answered]:
        http = HttpClient()  # one a worker, so that each keeps its own connection
        answered = []
        while not hopeless.is_set():
            with taking:
                number = next(numbers)
            if number >= count:
                break
            answered.append(_exchange(http, target, make(number), timeout_s))
            if not answered[-1].may_have_arrived:
                hopeless.set()
        http.close()
        return answered

    # Its import takes longer than many an answer, and is no part of one.
    import requests  # noqa: F401  # for being imported alone

    with ThreadPoolExecutor(at_a_time) as pool:
        working = [pool.submit(work) for _ in range(at_a_time)]
        try:
            return [one for worker in working for one in worker.result()]
        finally:
            hopeless.set()


def _exchange(http: HttpClient, target: Target, callback: Callback, timeout_s: float) -> Answered:
    headers = _headers(callback)
    begin = time.perf_counter()

    def ms() -> float:
        return round((time.perf_counter() - begin) * 1000, 3)

    try:
        answer = http.send("POST", target.url, headers, callback.body, timeout_s)
    except NoAnswerError as error:
        return Answered(callback.job_id, None, ms(), b"", str(error), error.may_have_arrived)
    return Answered(callback.job_id, answer.status, ms(), answer.body)


def figures(answered: Sequence[Answered], seconds: float) -> Figures:
    """What the deliveries came to. seconds: from the first to the last."""
    times = sorted(one.ms for one in answered if one.status is not None)
    at = {f"p{round(share * 100)}": quantile(times, share) for share in QUANTILES} if times else {}
    statuses = Counter(one.status for one in answered if one.status is not None)
    return Figures(
        sent=len(answered),
        answers={str(status): count for status, count in sorted(statuses.items())},
        errors=dict(Counter(one.error for one in answered if one.status is None)),
        seconds=round(seconds, 3),
        per_second=round(len(times) / seconds, 1) if seconds > 0 else 0.0,
        ms=at | {"max": times[-1]} if times else {},
    )


def quantile(ordered: Sequence[float], share: float) -> float:
    """The least value that so large a share of the values does not exceed (nearest rank)."""
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def _headers(callback: Callback) -> dict[str, str]:
    sent = http_event(callback.body)["headers"].items()
    headers = {name.title(): value for name, value in sent}
    if callback.content_version is not None:
        headers["X-Ci-Content-Version"] = callback.content_version
    return headers
