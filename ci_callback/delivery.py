"""Delivers callbacks over HTTP, several at a time, and times each response: for `send`.

The headers are those of the one callback whose capture was published; events.py has them.
"""

from __future__ import annotations

import ipaddress
import itertools
import statistics
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

PERCENTILES = (50, 90, 99)

SUCCESS = range(200, 300)


class NoTargetError(ValueError):
    """An address to which no callback can be sent."""


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
    """A body to send. job_id: None where the body was not made here."""

    job_id: str | None
    body: bytes
    content_version: str | None = None


@dataclass(frozen=True)
class Answered:
    """The response to one callback. status: None where none came; `error` says why."""

    job_id: str | None
    status: int | None
    ms: float
    body: bytes
    error: str = ""
    may_have_arrived: bool = True

    @property
    def is_well(self) -> bool:
        """Whether the response was 2xx."""
        return self.status in SUCCESS


@dataclass(frozen=True)
class Figures:
    """Of many deliveries. ms: response time at the percentiles, and the longest."""

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
    """POST `count` callbacks, in the order of their numbers, from 0. Stops early where no
    connection can be made."""
    numbers = itertools.count()
    unreachable = threading.Event()
    numbering = threading.Lock()

    def work() -> list[Answered]:
        http = HttpClient()  # one per worker, so that each keeps its own connection
        answered = []
        while not unreachable.is_set():
            with numbering:
                number = next(numbers)
            if number >= count:
                break
            answered.append(_exchange(http, target, make(number), timeout_s))
            if not answered[-1].may_have_arrived:
                unreachable.set()
        http.close()
        return answered

    with ThreadPoolExecutor(at_a_time) as pool:
        working = [pool.submit(work) for _ in range(at_a_time)]
        try:
            return [answer for worker in working for answer in worker.result()]
        finally:
            unreachable.set()


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
    """The figures of some deliveries. seconds: from the first to the last."""
    times = [answer.ms for answer in answered if answer.status is not None]
    statuses = Counter(answer.status for answer in answered if answer.status is not None)
    return Figures(
        sent=len(answered),
        answers={str(status): count for status, count in sorted(statuses.items())},
        errors=dict(Counter(answer.error for answer in answered if answer.status is None)),
        seconds=round(seconds, 3),
        per_second=round(len(times) / seconds, 1) if seconds > 0 else 0.0,
        ms=percentiles(times),
    )


def percentiles(times: Sequence[float]) -> dict[str, float]:
    """p50, p90, p99 and max of some times, interpolated between the two nearest; {} of none."""
    if not times:
        return {}
    # Before Python 3.13 there are no quantiles of a single value.
    known = [*times, *times] if len(times) == 1 else times
    cuts = statistics.quantiles(known, n=100, method="inclusive")
    at = {f"p{percent}": round(cuts[percent - 1], 3) for percent in PERCENTILES}
    return at | {"max": max(times)}


def _headers(callback: Callback) -> dict[str, str]:
    sent = http_event(callback.body)["headers"].items()
    headers = {name.title(): value for name, value in sent}
    if callback.content_version is not None:
        headers["X-Ci-Content-Version"] = callback.content_version
    return headers
