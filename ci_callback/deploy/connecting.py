"""`deploy connect`: shows what the queues call, asks, changes them, and brings it back."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import quote

from ci_callback.deploy import actual
from ci_callback.deploy import connect as queues
from ci_callback.deploy.actual import Api
from ci_callback.deploy.connect import BY_HAND, Connection, Queue
from ci_callback.deploy.desired import DEFAULT
from ci_callback.deploy.errors import EXIT_FAILED, DeployError
from ci_callback.deploy.target import Operator, check_settings
from ci_callback.doctor.case import Case, Target
from ci_callback.terminal import say, visible
from handler.ci_api.client import CiError
from handler.ledger.store import Store


@dataclass(frozen=True)
class Function:
    """A function that is deployed. address: with its token. store: its ledger. is_published:
    whether the version that callbacks reach accepts that token."""

    address: str = field(repr=False)
    case: Case
    store: Store
    is_published: bool = True

    def with_token(self, token: str) -> str:
        """Its address with another token."""
        return f"{self.address.partition('?')[0]}?token={quote(token, safe='')}"


@dataclass(frozen=True)
class Connected:
    """The result. changed: the number of changed queues. calling: QueueIds that call the function
    now; seen: all that CI showed. Of a dry run: what would be."""

    changed: int
    calling: frozenset[str]
    seen: frozenset[str]


@dataclass(frozen=True)
class Ask:
    """yes: addresses of others are replaced without a question. confirm: asks a person."""

    yes: bool
    dry_run: bool
    confirm: Callable[[str], bool]


def deployed(api: Api, operator: Operator, name: str) -> Function:
    """The function of that name, with the settings that it has.

    Raises:
        CloudError, SettingsError
        DeployError: there is none, or it has no address.
    """
    latest = actual.function_version(api, name)
    addresses = [one.address for one in actual.triggers(api, name)] if latest else []
    address = next(filter(None, addresses), "")
    if latest is None or not address:
        raise DeployError(f"there is no function {name} with an address", "deploy it first")
    settings = check_settings(operator, latest.variables)
    token = next(iter(settings.callback_tokens), "")
    query = f"?token={quote(token, safe='')}" if token else ""
    case = Case(settings, Target(), operator.http, time.time)
    serving = actual.function_version(api, name, DEFAULT)
    is_published = serving is not None and token in _tokens(serving.variables)
    return Function(f"{address}/{query}", case, operator.store, is_published or not token)


def _tokens(variables: Mapping[str, str]) -> list[str]:
    return [token.strip() for token in variables.get("CALLBACK_TOKENS", "").split(",")]


def connect(function: Function, kinds: Sequence[str], ask: Ask) -> Connected:
    """Let the queues call the function.

    Raises:
        StoreError
        DeployError: also where callbacks do not reach the newest token yet.
    """
    if not function.is_published:
        what = "callbacks reach a version that does not accept the newest token"
        raise DeployError(
            what, "`deploy rotate-token` finishes what was begun, and so does `deploy`"
        )
    found, unknown = queues.read(function.case, kinds)
    wanted = queues.plan(found, function.address)
    changing = _ids(connection.queue for connection in wanted)
    different = {connection.queue.queue_id for connection in wanted}
    for queue in found:
        state = "is to call this function" if queue.queue_id in different else "as it should be"
        say(f"  {queue.title}: calls {queue.shown};", state)
    for line in unknown:
        say(f"  not known: {line}")
    if not ask.dry_run:
        wanted = [connection for connection in wanted if _may(connection, ask)]
        with refusals_of_ci():
            if wanted:
                queues.apply(function.case, function.store, wanted)
        say(f"  {len(wanted)} changed")
    say("set by hand, where you use them:")
    for line in BY_HAND:
        say("  ", line)
    seen = _ids(found)
    calling = (seen - changing) | _ids(connection.queue for connection in wanted)
    return Connected(len(wanted), calling, seen)


def _ids(found: Iterable[Queue]) -> frozenset[str]:
    """Of queues: reconciliation knows nothing of workflows."""
    return frozenset(queue.queue_id for queue in found if not queue.is_workflow)


def undo(function: Function, ask: Ask) -> Connected:
    """Bring back what stood in the queues.

    Raises:
        DeployError, StoreError
    """
    if ask.dry_run:
        say("  each queue that calls this function gets back what it had")
        return Connected(0, frozenset(), frozenset())
    with refusals_of_ci():
        changed, unknown = queues.undo(function.case, function.store, function.address)
    for queue in changed:
        say(f"  {queue.title}: as it was before")
    for line in unknown:
        say(f"  not known: {line}; run it again")
    return Connected(len(changed), frozenset(), _ids(changed))


def _may(connection: Connection, ask: Ask) -> bool:
    if not connection.is_foreign or ask.yes:
        return True
    queue = connection.queue
    words = f"{queue.title} calls {queue.shown}: replace it?"
    return ask.confirm(visible(words))


@contextlib.contextmanager
def refusals_of_ci(then: str = "run it again: what was done stays done") -> Iterator[None]:
    """CI's refusals as what a person needs. then: what to do once the keys may."""
    try:
        yield
    except CiError as error:
        fix = f"the keys need ci:Update… of it; {then}"
        what = f"CI did not change a queue or workflow: {error}"
        raise DeployError(what, fix, EXIT_FAILED) from error
