"""Every error that this package raises on purpose.

Each carries its evidence as attributes, and `retryable`: whether doing the same
thing again later can help.
"""

from collections.abc import Sequence
from typing import Literal, NamedTuple, TypeAlias


class HandlerError(Exception):
    """Root of all errors below. Never raised itself."""

    retryable: bool = False


class Problem(NamedTuple):
    """One thing that is wrong with one environment variable."""

    variable: str
    found: str
    """What stands there, as a text that is safe to print: never a secret's value."""
    expected: str

    def __str__(self) -> str:
        return f"{self.variable}: found {self.found}, expected {self.expected}"


class SettingsError(HandlerError):
    """The environment does not describe a working function.

    Attributes:
        problems: every problem found, not just the first.
    """

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(map(str, self.problems)))


class PayloadError(HandlerError):
    """A body that could not be understood as a callback.

    Attributes:
        reason: a short, stable name such as "json_invalid".
        explanation: one sentence for the person who looks; holds nothing of the body.
    """

    def __init__(self, reason: str, explanation: str) -> None:
        self.reason = reason
        self.explanation = explanation
        super().__init__(f"{reason}: {explanation}")


class RefusedError(HandlerError):
    """An HTTP request that is answered with a 4xx, and of which nothing is kept.

    Attributes:
        status: the HTTP status code.
        reason: one sentence for the caller; holds nothing secret.
        evidence: what the log line should show besides, name to number or short text.
        headers: headers that the answer must carry, such as Allow.
    """

    def __init__(
        self,
        status: int,
        reason: str,
        evidence: dict[str, str | int] | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        self.status = status
        self.reason = reason
        self.evidence = evidence or {}
        self.headers = headers or {}
        super().__init__(f"{status}: {reason}")


class StoreError(HandlerError):
    """The ledger's store did not do, or may not have done, what was asked.

    After a failed write the object may be there or not: the answer can have been lost.

    Attributes:
        operation: put, put_new, get, list, delete or delete_many.
        key: the key or prefix that was asked for.
        status: the HTTP status that the store answered with; None where it gave no answer.
        code: the store's own name for the fault, such as "AccessDenied"; "" where it gave none.
    """

    retryable = True

    def __init__(
        self, operation: str, key: str, explanation: str, status: int | None = None, code: str = ""
    ) -> None:
        self.operation = operation
        self.key = key
        self.explanation = explanation
        self.status = status
        self.code = code
        answered = f" (HTTP {status} {code})".replace(" )", ")") if status else ""
        super().__init__(f"{operation} {key}: {explanation}{answered}")


Stage: TypeAlias = Literal["address", "name", "connection", "tls", "answer", "time"]
"""Where a request over HTTP failed. address: it can't be sent to such an address. time: there was a
connection, and no whole answer before the deadline."""


class NoAnswerError(HandlerError):
    """A request over HTTP that got no whole answer.

    Attributes:
        host: where it was sent to.
        explanation: what failed, in words that hold nothing of the address.
        may_have_arrived: False only where the request can't have left, because there was no
            connection for it. True is no promise either way.
        stage: where it failed.
    """

    retryable = True

    def __init__(
        self, host: str, explanation: str, may_have_arrived: bool, stage: Stage = "answer"
    ) -> None:
        self.host = host
        self.explanation = explanation
        self.may_have_arrived = may_have_arrived
        self.stage = stage
        super().__init__(f"{host}: {explanation}")
