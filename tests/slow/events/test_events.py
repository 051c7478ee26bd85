"""Every final event reaches each destination, and no root is without one."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Iterator

import pytest

from tests.forwarding.receivers import Receiver
from tests.slow.events.play import Play

SEED = "EVENTS_SEED"
"""An environment variable: plays the same plan again."""

WHOLE = "EVENTS_WHOLE"
"""Where this environment variable is set the long play has 10,000 callbacks, not 1,000."""

LONG = 10_000 if os.environ.get(WHOLE) else 1_000


@pytest.mark.parametrize(
    "callbacks", [pytest.param(200, marks=pytest.mark.sample), LONG], ids=["200", "long"]
)
def test_every_end_is_heard_at_each_destination(callbacks: int) -> None:
    """While 30 of 100 requests to the store fail, processes are killed, and one destination
    flaps."""
    seed = int(os.environ.get(SEED) or random.randrange(1_000_000))
    print(f"{SEED}={seed}")
    play, begun = Play(seed), time.monotonic()
    play.play(callbacks)
    print(report(play, time.monotonic() - begun))
    losses = [loss for receiver in play.receivers for loss in broken(play, receiver)]
    assert not losses, "\n".join((f"{SEED}={seed}", *losses[:20]))
    assert play.counts["faults"] > callbacks
    forgotten = play.steady.heard.pop(
        next(at for at, one in enumerate(play.steady.heard) if one["final"])
    )
    play.steady.heard = [one for one in play.steady.heard if one["id"] != forgotten["id"]]
    assert list(broken(play, play.steady))  # a loss is noticed


def broken(play: Play, receiver: Receiver) -> Iterator[str]:
    """What was promised and does not hold at a destination."""
    finals: dict[str, dict[str, str | None]] = {}
    for event in receiver.heard:
        if event["final"]:
            finals.setdefault(event["root_job_id"], {})[event["id"]] = event["supersedes"]
    for root, kind in play.roots.items():
        heard = finals.get(root, {})
        if not heard:
            yield f"{receiver.host}: no final event of {root}, which {kind}"
        firsts = [name for name, earlier in heard.items() if earlier is None]
        if len(firsts) > 1:
            yield f"{receiver.host}: {len(firsts)} final events of {root} supersede none"
        for name, earlier in heard.items():
            if earlier is not None and earlier not in heard:
                yield f"{receiver.host}: {name} supersedes {earlier}, which never came"
    for other in play.receivers:
        ids = {event["id"] for event in receiver.heard if event["final"]}
        missing = {event["id"] for event in other.heard if event["final"]} - ids
        yield from (f"{receiver.host}: {name} never came" for name in missing)


def report(play: Play, took_s: float) -> str:
    """The figures of a play."""
    figures = {"seconds": round(took_s), "roots": len(play.roots), **play.counts}
    for receiver in play.receivers:
        different = len({event["id"] for event in receiver.heard})
        figures[f"{receiver.host}: events"] = different
        figures[f"{receiver.host}: repeated"] = len(receiver.heard) - different
    return "\n".join(f"{name}: {value}" for name, value in figures.items())
