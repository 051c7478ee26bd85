"""One module per trigger, each with the members of `Trigger`; the first that recognises an event
takes it."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple, Protocol, TypeAlias

from handler.settings import Settings

Status: TypeAlias = Literal[
    "kept",
    "duplicate",
    "ignored",
    "rejected",
    "unverified",
    "dead_letter",
    "spilled",
    "retry_later",
]


TASKS = ("sweep", "reconcile", "forward")
"""What a timer may ask for."""

SELF_CHECK = "self-check"
"""The task that a direct invoke may ask for (handler/self_check.py)."""


class Delivery(NamedTuple):
    """One callback body as it reached the function."""

    body: bytes
    headers: Mapping[str, str] = {}
    """Lower-case names, and only headers that are known to hold no secret."""


class Task(NamedTuple):
    """The task that a timer asks for. name: one of TASKS, or unknown to this version."""

    name: str


class JobResult(NamedTuple):
    """The result for one job of a callback, or for a callback in which no job can be read."""

    status: Status
    job_id: str | None = None
    tag: str | None = None
    outcome: str | None = None
    key: str | None = None
    """Where it is stored: in the ledger, or below SPILL_URL."""
    reason: str | None = None
    cause: str | None = None
    """The store's own words, for the log in place of the reason. No answer shows them."""


class Unstored(NamedTuple):
    """A body that the function could not process; the log is the only place left for it.

    authenticated: the request passed CALLBACK_TOKENS. False where the tokens are not known.
    """

    body: bytes
    authenticated: bool


class Trigger(Protocol):
    """The members of each module of this package."""

    NAME: str
    """The trigger's name in a record's source."""
    FAAS: str
    """The value of OpenTelemetry's faas.trigger."""

    def recognises(self, event: Any) -> bool:
        """Whether an event is one of this trigger's."""
        ...

    def read(self, event: Any, settings: Settings) -> Sequence[Delivery] | Task:
        """The deliveries of an event, or the task that it asks for.

        Raises:
            RefusedError: nothing of the request is to be stored.
        """
        ...

    def answer(self, results: Sequence[JobResult]) -> Any:
        """The answer to an event that was processed.

        Raises:
            StoreError: not all is stored, and only an exception makes the platform deliver again.
        """
        ...

    def answer_error(self, error: Exception) -> Any:
        """The answer to an event that was refused or could not be processed; the error itself is
        raised where the platform or the invoker must see it."""
        ...

    def unstored(self, event: Any, tokens: Sequence[str] | None) -> Unstored | None:
        """The body of an event that could not be processed; None where the platform keeps it.

        tokens: those of CALLBACK_TOKENS; None where they are not known.

        Raises:
            RefusedError: nothing of the request would have been stored.
        """
        ...
