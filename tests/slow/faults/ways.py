"""Every operation on a store, on CI and on a channel, and every way in which one may fail.

    OPERATIONS × WAYS ── Wrong: the n-th call of an operation fails in a way
         └─ Injector says which call that is ── FaultyStore and FaultyHttp let it happen:
              in memory (WrongStore, WrongHttp), or over sockets (Detour)

The doubles in memory fail as the real clients do behind a real socket;
test_matrix.py compares the two, cell by cell.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final, Literal, NamedTuple, TypeAlias, TypeVar
from urllib.parse import urlsplit

from handler.errors import NoAnswerError, StoreError
from handler.http_client import Answer, Http
from handler.ledger.store import Store
from tests.stores import Trouble, TroubledStore, Wrapped

T = TypeVar("T")

Way: TypeAlias = Literal[
    "refused",
    "503",
    "429",
    "time-out",
    "time-out after",
    "reset after",
    "truncated",
    "HTML",
    "empty",
    "other JSON",
]

STORE: Final = ("put", "put_new", "get", "list", "folders", "delete", "delete_many")
CI: Final = ("describe", "list_jobs", "list_page", "create", "trigger_workflow")
CHANNEL: Final = ("send",)
OPERATIONS: Final = STORE + CI + CHANNEL

WAYS: Final[Mapping[Way, str]] = {
    "refused": "nobody listens there",
    "503": "by its own error answer",
    "429": "by its own error answer",
    "time-out": "it was not carried out",
    "time-out after": "it was carried out",
    "reset after": "it was carried out, and the connection cut before the answer",
    "truncated": "it was carried out, and the answer breaks off",
    "HTML": "200 and a page of something in between; not carried out",
    "empty": "200 and nothing; not carried out",
    "other JSON": "200 and JSON of something in between; not carried out",
}
CARRIED_OUT: Final = frozenset({"time-out after", "reset after", "truncated"})
FOREIGN: Final[Mapping[str, bytes]] = {
    "HTML": b"<html><head><title>Welcome</title></head><body><p>Sign in</p></body></html>",
    "empty": b"",
    "other JSON": b'{"status": "ok", "data": []}',
}
"""Bodies that come with a 200 from something in between."""

BELIEVED: Final = frozenset({("delete", "truncated")})
"""Cells in which nothing shows: a DELETE's answer has no body that could break off."""


class Wrong(NamedTuple):
    """One thing that goes wrong: the n-th call of an operation, with all the tries of it."""

    operation: str
    way: Way
    nth: int = 1

    def __str__(self) -> str:
        return f"{self.operation} {self.nth} {self.way}"


class Met(NamedTuple):
    """A call that went wrong. what: its key, prefix or path."""

    wrong: Wrong
    what: str


class Injector:
    """Says of each call whether it goes wrong. calls: how many there were of each operation."""

    def __init__(self, *wrong: Wrong) -> None:
        self._wrong = {(call.operation, call.nth): call for call in wrong}
        self._trying: tuple[str, Way] | None = None
        self.calls: Counter[str] = Counter()
        self.met: list[Met] = []

    def way(self, operation: str, what: str, again: str = "") -> Way | None:
        """How this call fails; None where it is well. again: names a request that the client
        sends once more by itself where it failed; the second one is the same call."""
        if again and self._trying and self._trying[0] == again:
            way, self._trying = self._trying[1], None
            return way
        self.calls[operation] += 1
        wrong = self._wrong.get((operation, self.calls[operation]))
        self._trying = None
        if wrong is None:
            return None
        self.met.append(Met(wrong, what))
        # A read is sent once more where there was no answer, or a 5xx.
        if again and wrong.way != "429" and wrong.way not in FOREIGN:
            self._trying = (again, wrong.way)
        return wrong.way


class FaultyStore(Wrapped):
    """A store whose calls go wrong where the injector says so. wrong: the store that fails in a
    way. written: what was put, in order, whether its answer came or not."""

    def __init__(self, inner: Store, injector: Injector, wrong: Callable[[Way], Store]) -> None:
        super().__init__(inner)
        self._injector = injector
        self._wrong = wrong
        self.written: list[tuple[str, bytes]] = []

    def put_new(self, key: str, data: bytes) -> bool:
        self.written.append((key, data))
        return self._at("put_new", key).put_new(key, data)

    def put(self, key: str, data: bytes) -> None:
        self.written.append((key, data))
        self._at("put", key).put(key, data)

    def get(self, key: str) -> bytes | None:
        return self._at("get", key).get(key)

    def list(self, prefix: str, stop: str | None = None, after: str = "") -> Iterator[str]:
        yield from [*self._at("list", prefix).list(prefix, stop, after)]

    def folders(self, prefix: str) -> Sequence[str]:
        return self._at("folders", prefix).folders(prefix)

    def delete(self, key: str) -> None:
        self._at("delete", key).delete(key)

    def delete_many(self, names: Sequence[str]) -> None:
        self._at("delete_many", names[0]).delete_many(names)

    def _at(self, operation: str, what: str) -> Store:
        way = self._injector.way(operation, what)
        return self.inner if way is None else self._wrong(way)


class FaultyHttp:
    """The same for CI and the channel."""

    def __init__(self, inner: Http, injector: Injector, wrong: Callable[[Way], Http]) -> None:
        self._inner = inner
        self._injector = injector
        self._wrong = wrong

    def send(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes, timeout_s: float
    ) -> Answer:
        again = url if method == "GET" else ""
        way = self._injector.way(operation_of(method, url), urlsplit(url).path, again)
        http = self._inner if way is None else self._wrong(way)
        return http.send(method, url, headers, body, timeout_s)


def operation_of(method: str, url: str) -> str:
    """Which method of Ci sends such a request, or `send` of a channel."""
    parts = urlsplit(url)
    if method == "GET":
        if parts.path.count("/") > 1:
            return "describe"
        return "list_page" if "endCreationTime" in parts.query else "list_jobs"
    if parts.path == "/triggerworkflow":
        return "trigger_workflow"
    return "create" if parts.path.endswith("jobs") else "send"


# --- in memory -----------------------------------------------------------------------------


class WrongStore(TroubledStore):
    """A store in memory that fails in one way, as CosStore does after its last try."""

    def __init__(self, inner: Store, way: Way) -> None:
        super().__init__(inner, Trouble())
        self._way = way

    def _ask(self, operation: str, key: str, request: Callable[[], T]) -> T:
        if self._way in CARRIED_OUT:
            result = request()
            if (operation, self._way) in BELIEVED:
                return result
        if self._way in ("503", "429"):
            raise StoreError(operation, key, "COS refused it", int(self._way), "Busy")
        raise StoreError(operation, key, "COS gave no answer in time")


class WrongHttp:
    """HTTP without sockets that fails in one way, as HttpClient does."""

    def __init__(self, inner: Http, way: Way) -> None:
        self._inner = inner
        self._way = way

    def send(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes, timeout_s: float
    ) -> Answer:
        if self._way in CARRIED_OUT:
            self._inner.send(method, url, headers, body, timeout_s)
        if self._way in FOREIGN:
            return Answer(200, FOREIGN[self._way])
        if self._way in ("503", "429"):
            return Answer(int(self._way), BUSY)
        raise NoAnswerError("somewhere", "no answer", may_have_arrived=self._way != "refused")


BUSY: Final = b"<Error><Code>SlowDown</Code><Message>Please try again</Message></Error>"
"""What COS and CI say with a 503 or a 429."""
