"""The interface of an HTTP client for CI and the alert channels: apart from the client, which most
invocations do not need."""

from collections.abc import Mapping
from typing import NamedTuple, Protocol


class Answer(NamedTuple):
    """The answer of a server; the body is cut at the client's limit. retry_after: the header of
    that name, as it was sent; "" without one."""

    status: int
    body: bytes
    retry_after: str = ""


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
