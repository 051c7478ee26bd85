"""The input of every check."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from urllib.parse import parse_qs, parse_qsl, urlsplit

from handler.http_client import Http
from handler.settings import Settings

REQUEST_S = 4.0
"""For one request: two of them, and CI's pause between, fit into a check's own time-out."""

CHECK_S = 10.0
"""For the whole of one check."""

CONSOLE = "https://console.cloud.tencent.com"


@dataclass(frozen=True)
class Target:
    """The deployed function that is asked about. "" where the command line names none."""

    function: str = ""
    namespace: str = "default"
    url: str = field(default="", repr=False)
    queues: tuple[str, ...] = ()
    """Kinds of queues that must call; () for any."""
    send_test_alert: bool = False
    scf_endpoint: str = ""
    """http://host:port in place of SCF's API, for tests."""

    @property
    def address(self) -> tuple[str, str]:
        """Host with its port, and path, of the URL; never its query."""
        parts = urlsplit(self.url)
        return parts.netloc.rpartition("@")[2].lower(), parts.path.rstrip("/") or "/"

    @property
    def tokens(self) -> tuple[str, ...]:
        """The token of the URL, where it was given as it is in a queue."""
        return tuple(parse_qs(urlsplit(self.url).query).get("token", ()))

    @property
    def secrets(self) -> Sequence[str]:
        """The secrets that the URL may hold."""
        parts = urlsplit(self.url)
        values = [value for _, value in parse_qsl(parts.query)]
        return [*values, parts.query, parts.username or "", parts.password or ""]


@dataclass(frozen=True)
class Case:
    """Settings that can be read, and the tools to look with. clock: epoch seconds."""

    settings: Settings
    target: Target
    http: Http
    clock: Callable[[], float]
