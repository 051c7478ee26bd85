"""The account of the simulators, and the faults of a request to them."""

from __future__ import annotations

from dataclasses import dataclass

APPID = "1250000000"
BUCKET = f"records-{APPID}"
REGION = "ap-guangzhou"
SECRET_ID = "AKIDexample"  # noqa: S105  # no account has it
SECRET_KEY = "example-secret-key"  # noqa: S105  # no account has it


@dataclass(frozen=True)
class Fault:
    """A fault of a request.

    before: the answer given in place of doing it: (status, code). after: it is done, and
    then the answer is this. reset: the connection is cut, before it is done or after.
    delay_s: how long it takes. body: replaces the body of the answer.
    """

    before: tuple[int, str] | None = None
    after: tuple[int, str] | None = None
    reset_before: bool = False
    reset_after: bool = False
    delay_s: float = 0.0
    cut_answer: bool = False
    body: bytes | None = None
