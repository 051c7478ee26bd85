"""Callbacks that never came: asked for in CI's lists, and taken in by the way of a callback.

No page says that CI sends a callback again that was not accepted. So on its own timer, for
each tag in RECONCILE_TAGS, or of the queues in RECONCILE_QUEUES (reconcile_scope.py):

    list CI's jobs of the last hours ── that ended a while ago
         ── is its key in the ledger's listing of that day? ── yes: fine
              └─ no: GET of the exact key decides (a listing may lag) ── there: fine
                   └─ not there: take it in; count it as absent

Where CI has no more than WHOLE_PAGES pages of those hours, that is a pass. Where it has more, the
hours are compared by looks (cursors.py), in rounds: the look that is most behind goes on from its
cursor, with as many jobs as the time allows.

As many absent as MISSING_CALLBACK_ALERT_THRESHOLD: the callback URL or the queue's NotifyConfig is
probably wrong, and one alert says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field

from handler.ci_api.client import CiError
from handler.ci_api.locate import CiUnreachableError
from handler.errors import StoreError
from handler.parallel import Parallel, in_parallel
from handler.retries.budget import Budget, too_short
from handler.retries.ci_window import Pace
from handler.retries.context import SweepContext
from handler.retries.reconcile_scope import Scope, scopes_of
from handler.retries.reconcile_tag import EVERY_S, Look, TagPass, raise_alert

BEHIND_S = 7200.0
"""A look that is further behind, and was less so before, raises an alert."""

FIRST_PAGES = 16
"""Of the first round: a pass that can do no more than that still moves a cursor."""

MAX_PAGES = 500
"""Of one round: 50,000 jobs, of which the keys and the packed pages take some 30 MB."""

CAUGHT_UP_S = 120.0
"""A look that has begun to go on does so until it is only that much behind."""

GROWTH = 4
"""A round is at most that much longer than the one before."""


@dataclass
class Summary:
    """The result of one pass over one tag. status: done; in_progress: the next one goes on from
    here; aborted: by the store or CI; failed. lag_s: how far the slowest look is behind.
    other_queues: jobs that were left alone, since RECONCILE_QUEUES does not name their queue."""

    tag: str
    status: str = "done"
    listed: int = 0
    absent: int = 0
    lag_s: int = 0
    other_queues: int = 0
    reason: str = ""


@dataclass
class Reconcile:
    """One run over all tags that are looked at. It raises nothing: each tag's end is logged.

    by_hand: what ended is compared up to now, in one look with a cursor of its own.
    """

    context: SweepContext
    time_left: Callable[[], float]
    by_hand: bool = False
    parallel: Parallel = in_parallel
    _passes: dict[str, TagPass] = field(default_factory=dict)
    _pages: int = FIRST_PAGES
    _rounds: int = 0

    def run(self) -> list[Summary]:
        """Every tag, the one first that is most behind; one that fails does not stop the others."""
        context = self.context
        budget = Budget.of(self.time_left, lambda: float("inf"))
        started = context.timer()
        scopes = scopes_of(context.settings)
        summaries = {scope.tag: Summary(scope.tag) for scope in scopes}
        if budget.fits_a_step:
            self._work(scopes, summaries, budget)
        else:
            self._refuse(summaries, budget)
        self._log_all(scopes, summaries, started)
        return list(summaries.values())

    def _work(self, scopes: Sequence[Scope], summaries: dict[str, Summary], budget: Budget) -> None:
        pace = Pace(self.context.sleep, self.context.timer)
        for scope in scopes:
            with self._guard(summaries[scope.tag]):
                self._passes[scope.tag] = TagPass.of(
                    self.context, scope, self.by_hand, pace, self.parallel
                )
        for tag in sorted(self._passes, key=self._behind, reverse=True):
            if not self.by_hand and budget.allows_step():
                with self._guard(summaries[tag]):
                    self._passes[tag].compare_whole()
        while budget.allows_step() and (look := self._most_behind()):
            with self._guard(summaries[look.tag]):
                self._round(look, budget)
        for tag in list(self._passes):
            with self._guard(summaries[tag]):
                self._finish(summaries[tag], self._passes[tag])

    def _behind(self, tag: str) -> float:
        """Seconds: where the time is too short for all tags, the others come first next time."""
        return self._passes[tag].most_behind().behind_s

    def _most_behind(self) -> Look | None:
        """What is compared next; None where nothing is."""
        looks = [of_tag.most_behind() for of_tag in self._passes.values()]
        look = max(looks, key=lambda look: look.behind_s, default=None)
        return look if look is not None and self._is_due(look) else None

    def _is_due(self, look: Look) -> bool:
        """Whether a look goes on. Once one has begun, all do until they have caught up, if need be
        in the next passes."""
        has_begun = self._rounds or any(of.cursors.lag_s for of in self._passes.values())
        enough = CAUGHT_UP_S if has_begun else EVERY_S
        return look.behind_s > (0 if self.by_hand else enough)

    def _round(self, look: Look, budget: Budget) -> None:
        """One round, and how long the next one may be."""
        began = self.context.timer()
        pages = self._passes[look.tag].compare(look, self._pages)
        self._rounds += 1
        took = max(self.context.timer() - began, 0.001)
        # Half of the time that is left: the next round may be slower.
        fitting = pages / took * (budget.left() - budget.reserve_s) / 2
        self._pages = max(FIRST_PAGES, int(min(MAX_PAGES, GROWTH * self._pages, fitting)))

    def _finish(self, summary: Summary, of_tag: TagPass) -> None:
        """Say how far a tag came; raise an alert where it falls behind more and more."""
        look = of_tag.most_behind()
        behind = look.behind_s if self._is_due(look) else 0
        summary.listed, summary.absent, summary.lag_s = of_tag.listed, of_tag.absent, int(behind)
        summary.other_queues = of_tag.other_queues
        if behind:
            summary.status = "in_progress"
        cursors = of_tag.cursors
        if self.by_hand:
            if summary.status == "done":
                cursors.cursors.clear()  # the next time, all hours again
                of_tag.save()
            return
        if behind > BEHIND_S and 0 < cursors.lag_s < behind:
            note = (
                f"reconciliation of {summary.tag} is {behind / 3600:.1f} hours behind, and falls "
                "behind further; let its timer run each minute, or give the function more memory"
            )
            raise_alert(self.context, "sweep", f"reconcile {summary.tag}", note)
        if cursors.lag_s != behind:
            cursors.lag_s = behind
            of_tag.save()

    @contextmanager
    def _guard(self, summary: Summary) -> Iterator[None]:
        """What fails ends the pass over its tag, and no other."""
        try:
            yield
        except (StoreError, CiError, CiUnreachableError) as error:
            is_ours = isinstance(error, CiError) and not error.retryable and not error.status
            summary.status = "failed" if is_ours else "aborted"
            summary.reason = str(error)
        except Exception:  # the other tags go on; raised, SCF would run all of it again
            summary.status = "failed"
            self.context.log.failure("internal_error", tag=summary.tag)
        else:
            return
        of_tag = self._passes.pop(summary.tag, None)
        if of_tag is not None:
            summary.listed, summary.absent = of_tag.listed, of_tag.absent

    def _refuse(self, summaries: dict[str, Summary], budget: Budget) -> None:
        """There is no time for anything."""
        reason = too_short(budget)
        for summary in summaries.values():
            summary.status, summary.reason = "failed", reason
        with self._guard(next(iter(summaries.values()), Summary(""))):
            raise_alert(self.context, "sweep", "reconcile", reason)

    def _log_all(
        self, scopes: Sequence[Scope], summaries: Mapping[str, Summary], started: float
    ) -> None:
        """A line for each tag; one for all those of which no job is listed, where no one named
        them."""
        idle = 0
        for scope in scopes:
            summary = summaries[scope.tag]
            if not scope.is_any_queue and summary == Summary(scope.tag):
                idle += 1
            else:
                self._log(summary, started)
        if idle:
            took = round((self.context.timer() - started) * 1000, 1)
            self.context.log.info("reconcile", status="done", idle_tags=idle, duration_ms=took)

    def _log(self, summary: Summary, started: float) -> None:
        is_well = summary.status in ("done", "in_progress")
        write = self.context.log.info if is_well else self.context.log.error
        fields = {name: value for name, value in asdict(summary).items() if value != ""}
        if not summary.other_queues:
            del fields["other_queues"]
        took = round((self.context.timer() - started) * 1000, 1)
        write("reconcile", **fields, duration_ms=took)
