"""RECONCILE_QUEUES: the queues that call the function, as `connect` notes them in its settings.

A queue that is noted keeps the time of its first connection. One is noted once CI took its address:
what ended before was told to someone else. A run that dies in between leaves it to the next one.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from ci_callback.deploy import variables
from ci_callback.deploy.actual import Api
from ci_callback.deploy.calls import Call
from handler.clock import rfc3339_of
from handler.settings import ConnectedQueue

VARIABLE = "RECONCILE_QUEUES"
WHY = "reconciliation looks at the jobs of these queues"


def value(
    known: Sequence[ConnectedQueue], calling: Collection[str], seen: Collection[str], now: float
) -> str:
    """The setting. known: as it is. calling: QueueIds that call the function; seen: all that CI
    showed: of others nothing is known, and they stay. now: epoch seconds."""
    kept = [one for one in known if one.queue_id in calling or one.queue_id not in seen]
    ids = {one.queue_id for one in kept}
    new = [ConnectedQueue(one, rfc3339_of(int(now))) for one in sorted(set(calling) - ids)]
    return ",".join(f"{one.queue_id}@{one.since}" for one in (*kept, *new))


def calls(api: Api, name: str, text: str) -> Sequence[Call]:
    """The calls that set it; [] if it is set.

    Raises:
        CloudError, DeployError
    """
    return variables.calls(api, name, {VARIABLE: text}, WHY)
