"""`deploy rotate-token`: a new token is added, the queues get it, and the old one goes a day later.

Both are accepted in between, so no callback is refused. The order of CALLBACK_TOKENS says which is
the newest: it comes first.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ci_callback.deploy import connect, variables
from ci_callback.deploy.actual import Api
from ci_callback.deploy.calls import Call
from ci_callback.deploy.connecting import Function
from ci_callback.deploy.errors import DeployError
from ci_callback.views import utc_text
from handler.ledger import keys

VARIABLE = "CALLBACK_TOKENS"
SCHEMA = "rotation/1"
KEY = f"{keys.CONNECTIONS}rotation.json"
WAIT_S = 86_400
"""Until the old token goes: a job that was submitted with the old address may end much later than
its queue was changed."""
MAX_TOKENS = 2


@dataclass(frozen=True)
class Step:
    """The next step. tokens: as CALLBACK_TOKENS is to be, the newest first."""

    calls: Sequence[Call]
    tokens: tuple[str, ...]


def begin(api: Api, name: str, function: Function, new_token: str) -> Step:
    """Add a token. A rotation whose calls were interrupted is finished with its own token.

    Raises:
        CloudError
        DeployError: the function asks for no token, or a rotation is under way.
    """
    known = function.case.settings.callback_tokens
    if not known:
        what = "CALLBACK_TOKENS is none: the function asks for no token"
        raise DeployError(what, "set CALLBACK_TOKENS, and deploy")
    if len(known) >= MAX_TOKENS and not function.is_published:
        return Step(variables.calls(api, name, {VARIABLE: ",".join(known)}, "the tokens"), known)
    if len(known) >= MAX_TOKENS:
        what = f"CALLBACK_TOKENS has {len(known)} tokens: a rotation is under way"
        raise DeployError(what, "`deploy rotate-token --finish` removes the old one")
    tokens = (new_token, *known)
    return Step(variables.calls(api, name, {VARIABLE: ",".join(tokens)}, "the tokens"), tokens)


def finish(api: Api, name: str, function: Function, now: float, *, is_sure: bool) -> Step:
    """Take the old tokens away. now: epoch seconds. is_sure: without waiting for a day.

    Raises:
        CloudError, StoreError
        DeployError: there is one token, a queue still has an old one, CI does not show each queue,
            or the day is not over.
    """
    known = function.case.settings.callback_tokens or ()
    if len(known) < MAX_TOKENS:
        raise DeployError("there is no old token", "`deploy rotate-token` begins a rotation")
    ours, unknown = _ours(function)
    if unknown and not is_sure:
        kinds = ", ".join(line.partition(":")[0] for line in unknown)
        what = f"CI does not show the queues of {kinds}: one may still call with an old token"
        raise DeployError(what, "look at them in CI's console, and run it with --yes")
    for queue in ours:
        if connect.token_of(queue.config.get("Url", "")) != known[0]:
            what = f"{queue.title} still calls with an old token"
            raise DeployError(what, "`deploy connect` gives it the new one")
    begun = _begun(function)
    if not is_sure and (begun is None or now - begun < WAIT_S):
        left = "unknown" if begun is None else f"at {utc_text(begun)}"
        what = f"the rotation began {left}: jobs may still end that were submitted before it"
        raise DeployError(what, "run it a day after it began, or with --yes")
    return Step(variables.calls(api, name, {VARIABLE: known[0]}, "the tokens"), known[:1])


def move_queues(function: Function, tokens: Sequence[str], address: str) -> int:
    """Give the queues that call the function its address with the newest token; how many.

    Raises:
        CiError
    """
    queues, _ = _ours(function)
    wanted = connect.plan(queues, address)
    connect.move(function.case, wanted)
    return len(wanted)


def note(function: Function, now: float) -> None:
    """Keep when it began. May raise StoreError."""
    line = json.dumps({"schema": SCHEMA, "begun": int(now)})
    function.store.put(KEY, line.encode())


def forget(function: Function) -> None:
    """It is over. May raise StoreError."""
    function.store.delete(KEY)


def _begun(function: Function) -> float | None:
    line = function.store.get(KEY)
    values: Any = json.loads(line) if line else {}
    return float(values["begun"]) if values.get("schema") == SCHEMA else None


def _ours(function: Function) -> tuple[list[connect.Queue], list[str]]:
    """The queues that call the function, and why those of a kind are not known."""
    host = connect.host_of(function.address)
    queues, unknown = connect.read(function.case)
    return [queue for queue in queues if queue.shown == host], unknown
