"""COS on loopback. The real SDK talks to it through real sockets: nothing of the SDK is patched.

    with FakeCos() as cos:
        store = CosStore(...("127.0.0.1", cos.port))

It verifies the COS signature and Content-MD5, notes each request, keeps connections alive, and
behaves as COS at its worst on demand:

- One request fails: `with cos.faulty(lambda seen: Fault(...) if ... else None):`.
- Each documented 409, 400 and 503: `Fault(before=(409, "PathConflict"))`, with the tables
  TRANSIENT_ERRORS and LASTING_ERRORS.
- An answer is lost, late, cut, or drips: `Fault(reset_after=True)`, `Fault(delay_s=1)`,
  `Fault(cut_answer=True)`, `Fault(drip_s=0.1)`.
- Silence on a connection that stays open: `Fault(silent_before=True)`, `Fault(silent_after=True)`.
- A redirect: `Fault(redirect=(301, "https://…"))`.
- A write lands after its retry: `Fault(lands_after_s=3)`, or `cos.land_late_writes()` at will.
- Idle connections die without a FIN: `cos.forget_idle("reset")`, `cos.forget_idle("silence")`.
- Listings lag: `cos.listing_lag_s = 5`.

`cos.clock` gives the epoch seconds by which listings lag and writes land; a test may set its own.
`cos.reset()` empties it and ends every fault; `seen`, `requests()`, `keys()`, `read()` and
`connections` tell what happened.
"""

from __future__ import annotations

import base64
import hashlib
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from urllib.parse import unquote
from xml.sax.saxutils import escape

from ci_callback.ci_simulator import signature
from ci_callback.ci_simulator.fixtures import BUCKET, REGION, SECRET_ID, SECRET_KEY
from ci_callback.devserver.cos_listing import listing
from tests.fake_cos.faults import Fault
from tests.fake_cos.listings import Journal
from tests.fake_cos.moto_s3 import MotoS3
from tests.fake_cos.seen import Seen
from tests.fake_cos.server import Death, Reply, Request, ResetError, Server, SilenceError

_HOST = re.compile(r"(?P<bucket>[a-z0-9-]+-\d+)\.cos\.(?P<region>[a-z0-9-]+)\.myqcloud\.com")

_REQUEST_ID = "NWFiMjM="
"""Stands in every answer of COS (436/7729)."""


def _no_fault(seen: Seen) -> Fault | None:
    return None


class FakeCos:
    """COS on loopback. Use as a context manager; `endpoint` is what COS_ENDPOINT takes.

    Attributes:
        seen: every request, in order.
        fault: looked at for each request; what goes wrong with it, or None.
        secrets: secret id → secret key. security_token: expected of each request; None for none.
        buckets: those that exist.
        listing_lag_s: listings show what was there so long ago, by `clock`.
        clock: epoch seconds.
    """

    def __init__(self) -> None:
        self._s3 = MotoS3()
        self._lock = threading.Lock()
        self.buckets = {BUCKET}
        self.secrets = {SECRET_ID: SECRET_KEY}
        self.seen: list[Seen] = []

    def __enter__(self) -> FakeCos:
        self._server = Server(self._serve)
        self.reset()
        return self

    def __exit__(self, *exc: object) -> None:
        self._server.close()

    @property
    def port(self) -> int:
        return self._server.port

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def env(self) -> dict[str, str]:
        """The environment with which a function writes to this COS."""
        return {
            "LEDGER_URL": f"cos://{BUCKET}/ci",
            "COS_REGION": REGION,
            "COS_ENDPOINT": self.endpoint,
            "TENCENTCLOUD_SECRETID": SECRET_ID,
            "TENCENTCLOUD_SECRETKEY": SECRET_KEY,
        }

    def reset(self) -> None:
        """Empty everything, forget what was seen, end every fault, and create the buckets."""
        self._s3.reset()
        self._journal = Journal()
        self._late: list[tuple[float, Seen]] = []
        self.seen.clear()
        self.fault: Callable[[Seen], Fault | None] = _no_fault
        self.security_token: str | None = None
        self.listing_lag_s = 0.0
        self.clock: Callable[[], float] = time.time
        for bucket in self.buckets:
            self._s3.ask(bucket, Seen("PUT", ""))

    # --- what went on ---

    def keys(self, prefix: str = "", bucket: str = BUCKET) -> list[str]:
        """All keys in a bucket, without a request."""
        self._land_due()
        return sorted(key for key in self._s3.keys(bucket) if key.startswith(prefix))

    def read(self, key: str) -> bytes:
        """An object's bytes, without a request."""
        self._land_due()
        return self._s3.ask(BUCKET, Seen("GET", key))[2]

    def place(self, key: str, data: bytes) -> None:
        """Put an object without a request, as by another program."""
        self._s3.put(BUCKET, key, data)
        self._journal.note(self.clock(), BUCKET, key, is_there=True)

    def requests(self) -> list[tuple[str, str]]:
        """(method, key) of what was seen, in order."""
        return [(seen.method, seen.key) for seen in self.seen]

    @property
    def connections(self) -> int:
        """How many connections were accepted so far, since this COS was entered."""
        return self._server.accepted

    # --- faults ---

    @contextmanager
    def faulty(self, fault: Callable[[Seen], Fault | None]) -> Iterator[None]:
        """Ask `fault` about each request for a while."""
        self.fault = fault
        try:
            yield
        finally:
            self.fault = _no_fault

    def forget_idle(self, death: Death) -> int:
        """Let the connections die that are idle now; how many there were.

        reset: no FIN, and the next request on one is answered by an RST (a peer that closed it
        while the client was frozen). silence: no FIN, and it is never read nor answered (a NAT that
        forgot it). fin: closed properly.
        """
        return self._server.forget_idle(death)

    def land_late_writes(self) -> None:
        """Carry out every write that is late, whatever its time."""
        self._land_due(float("inf"))

    # --- serving ---

    def _serve(self, request: Request) -> Reply:
        path, _, query = request.target.partition("?")
        seen = Seen(request.method, unquote(path)[1:], query, dict(request.headers), request.body)
        with self._lock:
            self.seen.append(seen)
        self._land_due()
        fault = self.fault(seen) or Fault()
        if fault.delay_s:
            time.sleep(fault.delay_s)
        status, headers, body = self._outcome(seen, fault)
        headers = {
            name: value
            for name, value in headers.items()
            if name.lower() not in ("content-length", "connection")
        } | {"x-cos-request-id": _REQUEST_ID}
        number, _, reason = status.partition(" ")
        body = body if fault.body is None else fault.body
        missing = 100 if fault.cut_answer else 0
        return Reply(int(number), reason, headers, body, missing, fault.drip_s)

    def _outcome(self, seen: Seen, fault: Fault) -> tuple[str, dict[str, str], bytes]:
        """Status line, headers and body. Raises ResetError or SilenceError."""
        if fault.lands_after_s is not None:
            with self._lock:
                self._late.append((self.clock() + fault.lands_after_s, seen))
        if fault.before:
            return _error(seen, *fault.before)
        if fault.redirect:
            status, location = fault.redirect
            moved, headers, body = _error(seen, status, "PermanentRedirect")
            return moved, headers | {"Location": location}, body
        if fault.silent_before:
            raise SilenceError
        if fault.reset_before or fault.lands_after_s is not None:
            raise ResetError
        done = self.carry_out(seen)
        if fault.after:
            return _error(seen, *fault.after)
        if fault.reset_after:
            raise ResetError
        if fault.silent_after:
            raise SilenceError
        return done

    def _land_due(self, now: float | None = None) -> None:
        now = self.clock() if now is None else now
        with self._lock:
            due = [seen for at, seen in self._late if at <= now]
            self._late = [(at, seen) for at, seen in self._late if at > now]
        for seen in due:
            self.carry_out(seen)

    def carry_out(self, seen: Seen) -> tuple[str, dict[str, str], bytes]:
        """Do what a request asks for; status line, headers and body. For a subclass to extend."""
        path = "/" + seen.key
        host = _HOST.fullmatch(seen.headers.get("host", ""))
        if not host:
            return _error(seen, 400, "InvalidHost")
        if not signature.is_valid(seen.method, path, seen.query, seen.headers, self.secrets):
            return _error(seen, 403, "SignatureDoesNotMatch")
        if seen.headers.get("x-cos-security-token") != self.security_token:
            return _error(seen, 403, "InvalidSecurityToken")
        md5 = seen.headers.get("content-md5")
        if md5 and base64.b64decode(md5) != hashlib.md5(seen.body).digest():
            return _error(seen, 400, "BadDigest")
        return self._ask_s3(host["bucket"], seen)

    def _ask_s3(self, bucket: str, seen: Seen) -> tuple[str, dict[str, str], bytes]:
        if self.listing_lag_s and self._is_listing(seen) and bucket in self.buckets:
            with self._lock:
                keys = self._journal.keys_at(self.clock() - self.listing_lag_s, bucket)
            return "200 OK", {"Content-Type": "application/xml"}, listing(keys, bucket, seen.params)
        status, headers, body = self._s3.ask(bucket, seen)
        number = int(status.split()[0])
        if number == 412 and "x-cos-forbid-overwrite" in seen.headers:
            return _error(seen, 409, "FileAlreadyExists")
        if number >= 400:
            code = re.search(rb"<Code>(\w+)</Code>", body)
            return _error(seen, number, code[1].decode() if code else "Unknown")
        with self._lock:
            if seen.method in ("PUT", "DELETE") and seen.key:
                self._journal.note(self.clock(), bucket, seen.key, seen.method == "PUT")
            for key in seen.deleted_keys:
                self._journal.note(self.clock(), bucket, key, is_there=False)
        return status, headers, body

    @staticmethod
    def _is_listing(seen: Seen) -> bool:
        return (seen.method, seen.key) == ("GET", "") and not (
            seen.params.keys() & {"location", "versioning", "uploads", "lifecycle", "acl"}
        )


def _error(seen: Seen, status: int, code: str) -> tuple[str, dict[str, str], bytes]:
    body = (
        f"<?xml version='1.0' encoding='utf-8' ?>\n<Error><Code>{code}</Code>"
        f"<Message>{code}</Message><Resource>/{escape(seen.key)}</Resource>"
        f"<RequestId>{_REQUEST_ID}</RequestId><TraceId>OGVmYzZi</TraceId></Error>"
    )
    return f"{status} {code}", {"Content-Type": "application/xml"}, body.encode()
