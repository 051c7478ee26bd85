"""The HTTP that this package uses outside of COS. It is passed in: nothing reaches for it.

What is set here and why:
  - trust_env off: no proxy and no .netrc of the environment has a say, nor a CA bundle;
  - no redirects: an address that holds a secret is not carried to another host;
  - no cookies: requests of different channels share one session;
  - urllib3's loggers at CRITICAL: its lines hold the path and the query;
  - a bound on the whole of it: see `within`.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent import futures
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar
from urllib.parse import urlsplit

from handler import __version__
from handler.errors import HandlerError

MAX_BYTES = 64 * 1024
"""Of an answer: all that is looked for in one is a code and a sentence."""

GRACE_S = 0.2
"""How much longer than its time-out a call may take, so that its own error comes first:
that one knows whether there was a connection."""

_CHUNK = 256
"""Bytes. A chunk is waited for until it is full, so a small one shows a late answer sooner."""

Result = TypeVar("Result")


@dataclass(frozen=True)
class Answer:
    """What a server answered; the body is cut at the client's limit."""

    status: int
    body: bytes


class NoAnswerError(HandlerError):
    """A request that got no whole answer: refused, reset, timed out, TLS, or sent to nowhere.

    Attributes:
        may_have_arrived: False only where the request can't have left, because there was no
            connection for it. True is no promise either way.
    """

    retryable = True

    def __init__(self, host: str, explanation: str, may_have_arrived: bool) -> None:
        self.may_have_arrived = may_have_arrived
        super().__init__(f"{host}: {explanation}")


class Http(Protocol):
    """One request, one answer. No redirects, no retries."""

    def send(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes, timeout_s: float
    ) -> Answer:
        """Send a request. timeout_s: seconds for the whole of it.

        Raises:
            NoAnswerError: no whole answer came in time.
        """
        ...


class RequestsHttp:
    """`Http` through requests, which comes with the COS SDK and is imported at the first use.

    One for a process: its connections are kept and reused. Threads may share it.
    """

    def __init__(self, max_bytes: int = MAX_BYTES) -> None:
        self._max_bytes = max_bytes
        self._lock = threading.Lock()
        self._session: Any = None

    def send(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes, timeout_s: float
    ) -> Answer:
        session = self._connected()
        from http.client import HTTPException

        from urllib3.exceptions import HTTPError

        try:
            return within(
                timeout_s + GRACE_S,
                lambda: self._exchange(session, method, url, headers, body, timeout_s),
            )
        # Most are RequestException, an OSError. Some of urllib3 and http.client slip through.
        except (OSError, ValueError, HTTPError, HTTPException) as error:
            raise _no_answer(url, timeout_s, error) from error

    def _exchange(
        self,
        session: Any,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes,
        timeout_s: float,
    ) -> Answer:
        deadline = time.monotonic() + timeout_s
        request = session.request(
            method,
            url,
            headers=dict(headers),
            data=body,
            timeout=(timeout_s, timeout_s),
            allow_redirects=False,
            stream=True,
        )
        with request as response:
            read = bytearray()
            for chunk in response.iter_content(_CHUNK):
                read += chunk
                if len(read) >= self._max_bytes:
                    break
                if time.monotonic() > deadline:
                    raise TimeoutError
            return Answer(response.status_code, bytes(read[: self._max_bytes]))

    def close(self) -> None:
        """Close the connections that are kept; a later request opens them anew."""
        with self._lock:
            if self._session is not None:
                self._session.close()

    def _connected(self) -> Any:
        with self._lock:
            if self._session is None:
                self._session = _session()
            return self._session


def within(timeout_s: float, call: Callable[[], Result]) -> Result:
    """What `call` returns or raises, if it does so within so many seconds.

    A socket's time-out bounds one read, and nothing bounds the look-up of a name. So the
    call runs in a thread of its own, which is left to itself when it is late.

    Raises:
        TimeoutError: it is late. It may still do what it was called for.
    """
    outcome: futures.Future[Result] = futures.Future()

    def run() -> None:
        try:
            outcome.set_result(call())
        except BaseException as error:  # it is raised again where the outcome is waited for
            outcome.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    try:
        return outcome.result(timeout_s)
    except futures.TimeoutError as error:  # before Python 3.11 no TimeoutError
        raise TimeoutError from error


def host_of(url: str) -> str:
    """The host alone, which is safe to print; "?" where there is none to be seen."""
    try:
        return urlsplit(url).hostname or "?"
    except ValueError:
        return "?"


def _session() -> Any:
    import logging
    from http.cookiejar import DefaultCookiePolicy

    from handler.ledger.requests_import import importing_requests

    with importing_requests():
        import requests

    # Its warnings hold the whole address too ("Failed to parse headers (url=…)").
    logging.getLogger("urllib3").setLevel(logging.CRITICAL)
    session = requests.Session()
    session.trust_env = False
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    # identity: what is read is then what was sent, and its size is known.
    session.headers.update(
        {"User-Agent": f"ci-callback-handler/{__version__}", "Accept-Encoding": "identity"}
    )
    return session


def _no_answer(url: str, timeout_s: float, error: BaseException) -> NoAnswerError:
    """The error in words that hold nothing of the address but its host."""
    import ssl

    from requests import exceptions
    from urllib3.exceptions import NewConnectionError, ReadTimeoutError

    late = (exceptions.Timeout, TimeoutError, ReadTimeoutError)
    # The first row that fits speaks: kind of error, words, whether the request may have arrived.
    rows: tuple[tuple[Any, str, bool], ...] = (
        (ssl.SSLCertVerificationError, "its TLS certificate is not trusted", False),
        (exceptions.ConnectTimeout, f"no connection within {timeout_s:g} s", False),
        (NewConnectionError, "no connection: refused, or no such host", False),
        (ValueError, "not sent: the address or a header is malformed", False),
        (late, f"no whole answer within {timeout_s:g} s", True),
        (exceptions.SSLError, "TLS failed", True),
        (BaseException, "the connection broke", True),
    )
    causes = tuple(_causes(error))
    words, may_have_arrived = next(
        (words, may)
        for kind, words, may in rows
        if any(isinstance(cause, kind) for cause in causes)
    )
    return NoAnswerError(host_of(url), words, may_have_arrived)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """An error and those that it wraps: requests and urllib3 keep them in args and reason."""
    cause: object = error
    while isinstance(cause, BaseException):
        yield cause
        wrapped = (getattr(cause, "reason", None), *cause.args)
        cause = next((one for one in wrapped if isinstance(one, BaseException)), None)
