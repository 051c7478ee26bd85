"""The jobs of the play, how they end, and the callbacks that CI sends about them."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from ci_callback.ci_simulator import BUCKET, REGION, CiSimulator, End
from handler.callback.catalogue import family_of
from handler.ci_api.client import Ci, CiAddress
from handler.http_client import HttpClient
from handler.ledger.bucket import Credentials
from tests.world import TRANSLATION


class Kind(NamedTuple):
    """How jobs of one kind end, and what is to follow.

    share: of all callbacks. outcome: of their records. alert: the action of the ticket that there
    must be in the end; "" for none. ends: of the first, second, … submission, for jobs that CI must
    know: those that are submitted again.
    """

    share: float
    state: str
    code: str
    outcome: str
    alert: str = ""
    ends: tuple[str, ...] = ()
    result: Mapping[str, Any] = {}


PARTIAL: Final = {"DigitalWatermark": {"State": "Failed", "IgnoreError": "true"}}

KINDS: Final[Mapping[str, Kind]] = {
    "succeeds": Kind(0.83, "Success", "Success", "succeeded"),
    "is cancelled": Kind(0.02, "Cancel", "Success", "cancelled"),
    "fails for good": Kind(0.05, "Failed", "InvalidArgument", "failed", "alert.failed"),
    "is partial": Kind(0.03, "Success", "Success", "partial", "alert.partial", (), PARTIAL),
    "recovers": Kind(
        0.014, "Failed", "InternalError", "failed", "alert.recovered", ("Failed", "Success")
    ),
    "recovers late": Kind(
        0.003,
        "Failed",
        "InternalError",
        "failed",
        "alert.recovered",
        ("Failed",) * 2 + ("Success",),
    ),
    "is given up": Kind(
        0.003, "Failed", "InternalError", "failed", "alert.gave-up", ("Failed",) * 3
    ),
    "contradicts itself": Kind(0.005, "Failed", "InvalidArgument", "failed", "alert.conflict"),
}
GARBAGE_SHARE: Final = 0.03
DUPLICATES_SHARE: Final = 0.06
RESENT_SHARE: Final = 0.6
"""Of the callbacks: what is not answered 2xx comes again. Of the others it never does."""


@dataclass
class Callback:
    """One that CI sends. kind: "" for a body that is not a callback. then: the one that is sent
    once this one was answered 2xx.

    answers: the status of each; None where there was no answer.
    """

    body: str
    job_id: str
    kind: str
    is_resent: bool
    then: Callback | None = None
    answers: list[int | None] = field(default_factory=list)

    @property
    def is_stored(self) -> bool:
        """Whether one answer said so."""
        return any(answer is not None and answer < 300 for answer in self.answers)

    @property
    def is_owed(self) -> bool:
        """Whether it comes again."""
        return self.is_resent and not self.is_stored


def twin(callback: Callback) -> Callback:
    """The same once more, as CI may deliver it."""
    return Callback(callback.body, callback.job_id, callback.kind, callback.is_resent)


class Planner:
    """Makes the callbacks. Draws everything from `chance`."""

    def __init__(self, ci: CiSimulator, chance: random.Random, credentials: Credentials) -> None:
        self._ci = ci
        self._chance = chance
        self._client = Ci(
            HttpClient(), credentials, CiAddress(BUCKET, REGION, ("127.0.0.1", ci.port))
        )
        self._model = self._submit("model.pdf")
        self._number = 0

    def callbacks(self, count: int) -> list[Callback]:
        """So many, in no order. Jobs that are submitted again are CI's own."""
        made: list[Callback] = []
        for name, kind in KINDS.items():
            for _ in range(round(kind.share * count * (1 - GARBAGE_SHARE - DUPLICATES_SHARE))):
                made.append(self._callback(name, kind))
        made += [self._garbage() for _ in range(round(GARBAGE_SHARE * count))]
        missing = count - len(made) - sum(callback.then is not None for callback in made)
        made += [twin(self._chance.choice(made)) for _ in range(missing)]
        self._chance.shuffle(made)
        return made

    def _callback(self, name: str, kind: Kind) -> Callback:
        self._number += 1
        is_resent = self._chance.random() < RESENT_SHARE
        if kind.ends:
            return Callback("", self._submit(f"{self._number}.pdf", kind.ends), name, is_resent)
        job_id = f"a{self._number:032x}"
        callback = Callback(self._body(kind, job_id), job_id, name, is_resent)
        if name == "contradicts itself":
            callback.is_resent = True
            other = self._body(KINDS["succeeds"], job_id)
            callback.then = Callback(other, job_id, name, True)
        return callback

    def _body(self, kind: Kind, job_id: str) -> str:
        self._ci.finish(self._model, kind.state, kind.code, "", dict(kind.result))
        form = self._chance.choice(("XML", "JSON"))
        return self._ci.callback_body(self._model, form).decode().replace(self._model, job_id)

    def _garbage(self) -> Callback:
        self._number += 1
        is_resent = self._chance.random() < RESENT_SHARE
        return Callback(f"<Response>garbage {self._number}", "", "", is_resent)

    def _submit(self, name: str, ends: tuple[str, ...] = ()) -> str:
        """A user's job at CI, which ends by the script."""
        if ends:
            self._ci.script(name, [_end(end) for end in ends], queue_s=20, run_s=30)
        family = family_of("Translation", "")
        assert family is not None
        result = self._client.create(family, TRANSLATION | {"Input": {"Object": name}})
        assert result.job_id, result
        return result.job_id


def _end(state: str) -> End:
    return End(state, "InternalError" if state == "Failed" else "Success")
