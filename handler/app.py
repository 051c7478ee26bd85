"""The single entrypoint: settings, trigger, run, answer."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from handler.errors import RefusedError, SettingsError, StoreError
from handler.ledger.bucket import Place
from handler.ledger.store import Store
from handler.log import Log
from handler.settings import Settings, tokens_from_env
from handler.triggers import Chore, Delivery, JobResult, Trigger, direct, http, queue, timer

if TYPE_CHECKING:
    from handler.ci_api.verification import Inline
    from handler.http_client import Http
    from handler.ledger.cos import CosStore

TRIGGERS: tuple[Trigger, ...] = (http, timer, queue, direct)
"""The first that recognises an event takes it."""

SWEEP_MOST_S = 58.0
"""A sweep's budget where the function's own limit is longer: shorter than the timer's minute."""

_MAX_WARM_STORES = 8

_warm_stores: dict[Place, CosStore] = {}
"""Connections outlive an invocation; credentials do not (CosStore.renew)."""

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


def open_store(settings: Settings) -> Store:
    """The store that LEDGER_URL names, with this invocation's credentials."""
    url = settings.ledger_url
    if url.scheme == "file":
        from handler.ledger.folder import FolderStore

        return FolderStore(url.folder)
    if settings.region is None or settings.credentials is None:
        raise AssertionError("Settings.from_env lets no cos ledger through without these")
    from handler.ledger.cos import CosStore

    place = Place(url.bucket, url.prefix, settings.region, settings.cos_endpoint)
    store = _warm_stores.get(place)
    if store is None:
        if len(_warm_stores) >= _MAX_WARM_STORES:
            _warm_stores.clear()
        store = _warm_stores[place] = CosStore(place, settings.credentials)
    store.renew(settings.credentials)
    return store


@dataclass
class Function:
    """One invocation. Environment, clock and log are handed in."""

    env: Mapping[str, str]
    clock: Callable[[], float]
    log: Log
    sleep: Callable[[float], None] = time.sleep
    open_store: Callable[[Settings], Store] = open_store
    http: Http | None = None
    """For CI and the alert channels; None: over the network."""

    def handle(self, event: Any, context: Mapping[str, Any], cold: bool = False) -> Any:
        """Take one event to its answer."""
        started = time.perf_counter()
        trigger = next(one for one in TRIGGERS if one.recognises(event))
        request_id = str(context.get("request_id") or "")[:100]
        self.log = self.log.bind(
            faas_invocation_id=request_id, faas_trigger=trigger.FAAS, faas_coldstart=cold
        )
        region = str(context.get("tencentcloud_region") or "")
        env = {"TENCENTCLOUD_REGION": region, **self.env}
        try:
            settings = Settings.from_env(env)
        except SettingsError as error:
            return self._misconfigured(event, trigger, error)
        self.log = self.log.bind(secrets=settings.secrets)
        try:
            work = trigger.read(event, settings)
            if isinstance(work, Chore):
                self._do(work, settings, request_id, _time_left(context, started))
                return trigger.answer(())
            return trigger.answer(self.take(work, trigger.NAME, settings, request_id, started))
        except RefusedError as refusal:
            self.log.warning(
                "refused", status=refusal.status, reason=refusal.reason, **refusal.evidence
            )
            return http.refuse(refusal)
        except StoreError:
            raise  # only a trigger that must raise lets one out, and it has been logged
        except Exception:  # a fault of this code: the caller hears 503, and the body is not lost
            if trigger is not http:
                raise
            self.log.failure("internal_error")
            self.log.last_resort(http.body_for_the_log(event), "internal_error")
            return http.retry_later("the function failed; its log says why")

    def take(
        self,
        deliveries: Sequence[Delivery],
        trigger: str,
        settings: Settings,
        request_id: str,
        started: float,
    ) -> list[JobResult]:
        """Keep callbacks; what became of each of their jobs. started: of time.perf_counter."""
        # Imported here, as the stores are: a request that is refused pays for nothing of this.
        from handler.ingest.callbacks import CallbackIngest
        from handler.ingest.recorder import Recorder
        from handler.ledger.records import Ledger
        from handler.parallel import in_parallel
        from handler.policy import Policy

        reception = CallbackIngest(
            settings,
            Recorder(Ledger(self.open_store(settings)), Policy.of(settings)),
            self._inline(settings),
            trigger,
            self.clock,
            self.log,
            request_id,
            started,
        )
        return [one for outcomes in in_parallel(reception.take, deliveries) for one in outcomes]

    def _inline(self, settings: Settings) -> Inline | None:
        if settings.verify_callbacks != "always":
            return None
        # Imported here, as below: only VERIFY_CALLBACKS=always asks CI while CI waits.
        from handler.ci_api.responses import ANSWER_LIMITS
        from handler.ci_api.verification import Inline
        from handler.http_client import HttpClient

        http = self.http or HttpClient(ANSWER_LIMITS.max_bytes)
        return Inline(settings, http, self.sleep)

    def _misconfigured(self, event: Any, trigger: Trigger, error: SettingsError) -> Any:
        for problem in error.problems:
            self.log.error(
                "settings_wrong",
                variable=problem.variable,
                found=problem.found,
                expected=problem.expected,
            )
        if trigger is timer:
            return timer.answer(())  # raising would make SCF run it again, to no avail
        if trigger is not http:
            raise error
        tokens = tokens_from_env(self.env)
        if tokens:
            # Settings are wrong, but who is a stranger can be told: nothing of theirs is logged.
            try:
                http.authorise(event, tokens)
            except RefusedError as refusal:
                return http.refuse(refusal)
        self.log.last_resort(http.body_for_the_log(event), "settings_wrong")
        return http.retry_later("the function's settings are wrong; its log names them")

    def _do(
        self, chore: Chore, settings: Settings, request_id: str, time_left: Callable[[], float]
    ) -> None:
        """Run a chore of the timer. It raises nothing: SCF would run it again, twice."""
        # Imported here: a callback needs neither CI nor the channels.
        from handler.retries.reconcile import Reconcile
        from handler.retries.sweep import Sweep, make_sweep_context

        chores = {"sweep": Sweep, "reconcile": Reconcile}
        if chore.name not in chores:
            self.log.error("unknown_chore", chore=chore.name, expected=" or ".join(chores))
            return
        store = self.open_store(settings)
        bench = make_sweep_context(
            settings, store, self.http, self.clock, self.sleep, self.log, request_id
        )
        chores[chore.name](bench, time_left).run()


def _time_left(context: Mapping[str, Any], started: float) -> Callable[[], float]:
    """Seconds until the platform ends this invocation, or the next sweep begins."""
    limit_ms = context.get("time_limit_in_ms")
    limit_s = limit_ms / 1000 if isinstance(limit_ms, (int, float)) else SWEEP_MOST_S
    deadline = started + min(limit_s, SWEEP_MOST_S)
    return lambda: deadline - time.perf_counter()
