"""What must hold in the end of a play, whatever went wrong in it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from typing import Final

from ci_callback.ci_simulator.fixtures import SECRET_ID, SECRET_KEY
from handler.alerts.digest import Message
from handler.alerts.services import SERVICES
from tests.alert_services import KEY
from tests.slow.faults.story import Timeline

SECRETS: Final = (SECRET_ID, SECRET_KEY, KEY)
MAY_BE_TOLD: Final = frozenset({"sweep", "held"})
"""CI could not be asked three times in a row; whether a workflow was run again is not known."""


class Promises:
    """Looks at a story that has come to its end."""

    def __init__(self, story: Timeline) -> None:
        self.story = story
        self.world = story.world

    def broken(self) -> list[str]:
        """The promises that do not hold; each with what was found."""
        return [
            f"{promise.__name__.strip('_')}: {fault}"
            for promise in (
                self._kept,
                self._submitted_once,
                self._alerted_once,
                self._alerted_what_there_is,
                self._nothing_is_cancelled,
                self._nothing_is_left,
                self._no_fault_of_its_own,
                self._no_secret_is_logged,
            )
            for fault in promise()
        ]

    def tickets(self) -> set[str]:
        """The names of all alerts that there ever were."""
        carried = [
            key for key, _ in self.story.store.written if key.startswith(("_outbox/", "_done/"))
        ]
        kept = {key.split("/")[1] for key in carried if "-alert." in key}
        return {name for name in kept if self.world.read(f"_done/{name}") is not None}

    def _own_attempts(self) -> list[tuple[str, int]]:
        """(root, attempt) of what was submitted again, without what was sent by hand."""
        attempts = list(self.world.attempts)
        for player in self.story.players.values():
            if player.is_doubled:
                attempts.remove((player.job, 2))
        return attempts

    def _kept(self) -> Iterable[str]:
        """Each callback that was answered 2xx has its record or its dead letter."""
        for job, status in self.story.answered.items():
            if job == "garbage":
                if status != 202 or len(self.world.keys("_dead/")) != 1:
                    yield f"garbage {status} {self.world.keys('_dead/')}"
            elif (self.story.record(job) or {}).get("state") != self.world.ci.jobs[job].state:
                yield f"{job} {status} {self.story.record(job)}"
        for job in self.story.players:
            if self.story.record(job) is None:
                yield f"{job} has no record"

    def _submitted_once(self) -> Iterable[str]:
        """Each failure that should be, and no other one; a workflow, or a person was asked."""
        counts = Counter(self._own_attempts())
        runs = [
            submission
            for submission in self.world.ci.accepted
            if submission.path == "/triggerworkflow"
        ]
        asked = [name for name in self.tickets() if name.endswith("-alert.held.json")]
        for job, player in self.story.players.items():
            wanted = 0 if player.part.workflow else len(player.part.ends) - 1
            if counts[job, 2] != wanted:
                yield f"{job}: {counts[job, 2]} times in place of {wanted}"
            is_asked = any(f"-{job}-" in name for name in asked)
            if player.part.workflow and (len(runs) > 1 or not (runs or is_asked)):
                yield f"its workflow ran {len(runs)} times"

    def _alerted_once(self) -> Iterable[str]:
        """Each alert, and not again but where the channel's answer or a note of it was lost."""
        digests: dict[str, set[str]] = {}
        texts: dict[str, str] = {}
        for key, line in self.story.store.written:
            if key.startswith("_digests/"):
                values = json.loads(line)
                message = Message.from_dict(values["message"])
                texts[key] = message.text(SERVICES["wecom"].text_bytes)
                for name in values["tickets"]:
                    digests.setdefault(name, set()).add(key)
        heard = Counter(self.world.phone.texts)
        noting = ("_digests/", "/cgi-bin/")
        again = sum(met.what.startswith(noting) for met in self.story.injector.met)
        for name in sorted(self.tickets() | digests.keys()):
            # A digest whose write failed is made anew, with the same text.
            times = sum(heard[text] for text in {texts[key] for key in digests.get(name, ())})
            if not 1 <= times <= 1 + again:
                yield f"{name} {times} times"

    def _alerted_what_there_is(self) -> Iterable[str]:
        """What the parts call for, and nothing else but what says that a thing is not known."""
        expected = Counter({"dead": 1})
        for player in self.story.players.values():
            expected.update(player.part.alerts)
        alerted = Counter(
            name.rpartition("-alert.")[2].removesuffix(".json") for name in self.tickets()
        )
        for kind in (expected | alerted).keys() - MAY_BE_TOLD:
            if expected[kind] != alerted[kind]:
                yield f"{kind} {alerted[kind]} times in place of {expected[kind]}"
        workflows = sum(player.part.workflow for player in self.story.players.values())
        if alerted["held"] > workflows:
            yield f"held {alerted['held']} times"

    def _nothing_is_cancelled(self) -> Iterable[str]:
        """The job that was submitted by hand may be somebody's own."""
        yield from (name for name, job in self.world.ci.jobs.items() if job.state == "Cancel")

    def _nothing_is_left(self) -> Iterable[str]:
        yield from self.story.left()
        yield from self.world.keys("_undelivered/")

    def _no_fault_of_its_own(self) -> Iterable[str]:
        for line in self.world.lines:
            if line["event"] in ("internal_error", "ticket_failed"):
                yield str(line.get("traceback"))[-600:]

    def _no_secret_is_logged(self) -> Iterable[str]:
        written = json.dumps(self.world.lines)
        return [f"{secret[:4]}…" for secret in SECRETS if secret in written]
