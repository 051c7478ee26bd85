"""The single entrypoint: settings, trigger, run, answer."""

import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from handler.clock import rfc3339_of
from handler.errors import RefusedError, SettingsError, StoreError
from handler.http_interface import Http
from handler.ledger.store import Store, TimeLeft
from handler.log import Log
from handler.run import Run
from handler.settings import Settings, tokens_from_env
from handler.stores import open_spill, open_store
from handler.triggers import (
    SELF_CHECK,
    TASKS,
    Delivery,
    JobResult,
    Task,
    Trigger,
    direct,
    http,
    queue,
    timer,
)

if TYPE_CHECKING:
    from handler.ci_api.verification import Inline
    from handler.ingest.callbacks import CallbackIngest
    from handler.ingest.fallback import Fallback

TRIGGERS: tuple[Trigger, ...] = (http, timer, queue, direct)
"""The first that recognises an event takes it."""

_is_cold = True


def main_handler(event: Any, context: Any) -> Any:
    """SCF's entrypoint: one event of any trigger in, the trigger's answer out.

    On the HTTP way no exception leaves it. On the direct way a store failure is raised.
    """
    global _is_cold
    cold, _is_cold = _is_cold, False
    return Function(os.environ, time.time, Log(sys.stdout, time.time)).handle(
        event, context if isinstance(context, dict) else {}, cold
    )


class Function(NamedTuple):
    """One invocation. Environment, clock and log are passed in.

    clock: epoch seconds. timer: seconds, of a clock that only runs forward.
    """

    env: Mapping[str, str]
    clock: Callable[[], float]
    log: Log
    sleep: Callable[[float], None] = time.sleep
    open_store: Callable[[Settings, TimeLeft], Store] = open_store
    http: Http | None = None
    """For CI and the alert channels; None: over the network."""
    open_spill: Callable[[Settings, TimeLeft], Store | None] = open_spill
    timer: Callable[[], float] = time.perf_counter

    def handle(self, event: Any, context: Mapping[str, Any], cold: bool = False) -> Any:
        """Take one event to its answer."""
        run = Run.of(context, self.timer)
        trigger = next(trigger for trigger in TRIGGERS if trigger.recognises(event))
        log = self.log.bind(
            faas_invocation_id=run.request_id, faas_trigger=trigger.FAAS, faas_coldstart=cold
        )
        region = str(context.get("tencentcloud_region") or "")
        env = {"TENCENTCLOUD_REGION": region, **self.env}
        return self._replace(env=env, log=log).respond(trigger, event, run)

    def respond(self, trigger: Trigger, event: Any, run: Run) -> Any:
        """Answer one event of a trigger, by the settings of the environment."""
        try:
            settings = Settings.from_env(self.env)
        except SettingsError as error:
            for problem in error.problems:
                self.log.error("settings_invalid", **problem._asdict())
            return self._fail(trigger, event, error, tokens_from_env(self.env))
        log = self.log.bind(secrets=settings.secrets)
        return self._replace(log=log).carry_out(trigger, event, settings, run)

    def carry_out(self, trigger: Trigger, event: Any, settings: Settings, run: Run) -> Any:
        """Store the callbacks of an event, or run the task that it asks for; the answer."""
        try:
            work = trigger.read(event, settings)
            if isinstance(work, Task):
                if work.name == SELF_CHECK:
                    return self._self_check(settings, run)
                self._run_task(work, settings, run)
                return trigger.answer(())
            return trigger.answer(self._ingest(work, trigger.NAME, settings, run))
        except RefusedError as refusal:
            return self._refuse(trigger, refusal)
        except StoreError:
            raise  # only the answer of a trigger that must raise; the store's error is in the log
        except Exception as error:  # a fault of this code: the body must not be lost
            self.log.failure("internal_error")
            return self._fail(trigger, event, error, settings.callback_tokens)

    def process(
        self,
        deliveries: Sequence[Delivery],
        trigger: str,
        settings: Settings,
        run: Run,
        fallback: "Fallback | None" = None,
    ) -> list[JobResult]:
        """Store callbacks in the ledger; the result for each of their jobs.

        trigger: the name that the records' source gets. fallback: where a callback goes that the
        ledger does not accept; None where the caller still has it.
        """
        # Imported here, as the stores are: a request that is refused pays for nothing of this.
        from handler.ingest.received import ReceivedCallback
        from handler.parallel import in_parallel

        ingest = self._callback_ingest(settings, run, run.left_for_ledger, fallback)
        at = rfc3339_of(self.clock())
        callbacks = [
            ReceivedCallback(delivery.body, trigger, at, run.request_id, delivery.headers)
            for delivery in deliveries
        ]
        return [job for jobs in in_parallel(ingest.process, callbacks) for job in jobs]

    def take_in_spilled(self, settings: Settings, run: Run) -> None:
        """Store the callbacks that are below SPILL_URL in the ledger, in half of the time that the
        task has: alerts and retries have the other."""
        spill = self.open_spill(settings, run.left_for_task)
        if spill is None:
            return
        # Imported here: few functions have a spill.
        from handler.retries.spilled import SpilledIntake

        ingest = self._callback_ingest(settings, run, run.left_for_task, None)
        half, now = run.left_for_task() / 2, rfc3339_of(self.clock())
        SpilledIntake(spill, ingest, self.log, lambda: run.left_for_task() - half, now).run()

    def _ingest(
        self, deliveries: Sequence[Delivery], trigger: str, settings: Settings, run: Run
    ) -> list[JobResult]:
        from handler.ingest.fallback import Fallback

        fallback = Fallback(lambda: self.open_spill(settings, run.left_for_spill), self.log)
        return self.process(deliveries, trigger, settings, run, fallback)

    def _callback_ingest(
        self, settings: Settings, run: Run, time_left: TimeLeft, fallback: "Fallback | None"
    ) -> "CallbackIngest":
        from handler.ingest.callbacks import CallbackIngest
        from handler.ingest.recorder import Recorder

        return CallbackIngest(
            settings,
            Recorder.of(settings, self.open_store(settings, time_left)),
            # Where there is no fallback, CI does not wait for the answer.
            self._inline(settings, time_left() / 2 if fallback else None),
            fallback,
            self.log,
            time_left,
            run.started,
            self.timer,
        )

    def _inline(self, settings: Settings, patience_s: float | None) -> "Inline | None":
        if not settings.confirms_before_storing:
            return None
        # Imported here, as below: only VERIFY_CALLBACKS=always asks CI before it stores.
        from handler.ci_api.locate import CiLocator
        from handler.ci_api.responses import ANSWER_LIMITS
        from handler.ci_api.verification import INLINE_S, Inline
        from handler.http_client import client_of_process

        budget_s = float("inf") if patience_s is None else min(INLINE_S, patience_s)
        http = self.http or client_of_process(ANSWER_LIMITS.max_bytes)
        return Inline(CiLocator(settings, http, self.sleep), self.timer, budget_s)

    def _refuse(self, trigger: Trigger, refusal: RefusedError) -> Any:
        self.log.warning(
            "request_refused", status=refusal.status, reason=refusal.reason, **refusal.evidence
        )
        return trigger.answer_error(refusal)

    def _fail(
        self, trigger: Trigger, event: Any, error: Exception, tokens: Sequence[str] | None
    ) -> Any:
        """Answer an event that can't be processed; its body goes to the log."""
        try:
            lost = trigger.unstored(event, tokens)
        except RefusedError as refusal:
            return self._refuse(trigger, refusal)
        if lost is not None:
            reason = "settings_invalid" if isinstance(error, SettingsError) else "internal_error"
            self.log.last_resort(lost.body, reason, lost.authenticated)
        return trigger.answer_error(error)

    def _forward(self, settings: Settings, run: Run) -> None:
        """Send events to FORWARD_URLS."""
        if not settings.forward_urls:
            return
        # Imported here: few functions forward events.
        from handler.forwarding.context import ForwardContext, Timing
        from handler.forwarding.forward import Forward

        store = self.open_store(settings, run.left_for_task)
        timing = Timing(self.clock, self.sleep, self.timer, run.left_for_task)
        context = ForwardContext.of(settings, store, timing, self.log, run.request_id)
        Forward(context if self.http is None else context._replace(http=self.http)).run()

    def _self_check(self, settings: Settings, run: Run) -> dict[str, Any]:
        # Imported here, as below.
        from handler.ci_api.locate import CiLocator
        from handler.ci_api.responses import ANSWER_LIMITS
        from handler.http_client import client_of_process
        from handler.self_check import self_check

        http = self.http or client_of_process(ANSWER_LIMITS.max_bytes)
        store = self.open_store(settings, run.left_for_task)
        return self_check(store, CiLocator(settings, http, self.sleep), run.request_id)

    def _run_task(self, task: Task, settings: Settings, run: Run) -> None:
        """Run a task of the timer."""
        if task.name not in TASKS:
            self.log.error("unknown_task", task=task.name, expected=" or ".join(TASKS))
            return
        if task.name == "forward":
            self._forward(settings, run)
            return
        # Imported here: a callback needs neither CI nor the channels.
        from handler.retries.context import Invocation, SweepContext
        from handler.retries.reconcile import Reconcile
        from handler.retries.sweep import Sweep

        if task.name == "sweep":
            self.take_in_spilled(settings, run)
        store = self.open_store(settings, run.left_for_task)
        invocation = Invocation(
            self.clock, self.sleep, self.log, run.request_id, self.http, self.timer
        )
        context = SweepContext.of(settings, store, invocation)
        work = {"sweep": Sweep, "reconcile": Reconcile}[task.name]
        work(context, run.left_for_task).run()
