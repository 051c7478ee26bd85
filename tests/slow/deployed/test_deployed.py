"""Callbacks to the function as it is deployed: nothing that was answered 2xx is lost, no alert is
lost, and nothing is submitted twice."""

from __future__ import annotations

import os
import random
import time

import pytest

from tests.slow.deployed.play import Play, Size, played
from tests.slow.deployed.promises import (
    broken,
    in_the_log,
    lost_alerts,
    lost_callbacks,
    unanswered,
    unheard_ends,
    wrong_submissions,
)

SEED = "DEPLOYED_SEED"
"""An environment variable: plays the same plan again."""

WHOLE = "DEPLOYED_WHOLE"
"""Where this environment variable is set the long play has 10,000 callbacks, not 1,500: some four
minutes of two cores."""

LONG = (
    Size(10_000, 12, 1, kills=60, silences=3)
    if os.environ.get(WHOLE)
    else Size(1_500, 12, 2, kills=20, silences=1)
)


@pytest.mark.parametrize(
    "size",
    [
        pytest.param(Size(100, 4, 10, kills=3, silences=0), marks=pytest.mark.sample),
        Size(500, 8, 5, kills=8, silences=1, has_spill=False),
        LONG,
    ],
    ids=["100", "500 without a spill", "long"],
)
def test_of_many_callbacks_to_the_deployed_function_none_is_lost(size: Size) -> None:
    """While processes are killed and frozen, COS is away for an hour and fails in each documented
    way, listings lag, connections die, keys are renewed, and timers fire twice."""
    seed = int(os.environ.get(SEED) or random.randrange(1_000_000))
    print(f"{SEED}={seed}")
    begun = time.monotonic()
    with played(size, seed) as play:
        print(report(play, time.monotonic() - begun))
        losses = broken(play)
        assert_a_loss_is_noticed(play)
    assert not losses, "\n".join((f"{SEED}={seed}", *losses))
    assert play.counts["answer 200"] > size.callbacks / 2
    assert play.cos.faults["COS was down"] > 0
    if size is LONG:  # of few callbacks chance may leave any of these out
        assert play.counts["kills"] > size.kills / 2
        assert play.cos.faults["409"] > size.callbacks / 100
        assert play.counts["answer 503"] >= play.recovered > size.callbacks / 100
        assert play.counts["doubled timers"] > 10


def assert_a_loss_is_noticed(play: Play) -> None:
    """The promises are not kept by a play in which something was lost, or submitted twice."""
    play.ci.accepted.append(
        next(submission for submission in play.ci.accepted if submission.marker)
    )
    assert any("2 times" in loss for loss in wrong_submissions(play))
    play.listeners[0].finals.clear()
    assert len(list(unheard_ends(play))) > play.size.callbacks / 2
    play.person.accepted.clear()
    assert len(list(lost_alerts(play))) > play.size.callbacks / 20
    play.cos.reset()
    assert len(list(lost_callbacks(play))) > play.size.callbacks / 2


def report(play: Play, took_s: float) -> str:
    """The figures of a play."""
    figures = {
        "seconds": round(took_s),
        **dict(sorted(play.counts.items())),
        "instances": play.scf.started,
        **{f"fault {name}": count for name, count in sorted(play.cos.faults.items())},
        "submitted again": sum(submission.marker is not None for submission in play.ci.accepted),
        "messages": sum(play.person.accepted.values()),
        "events": len(play.listeners[0].heard),
        "events, repeated": sum(sum(one.heard.values()) - len(one.heard) for one in play.listeners),
        "replayed from the log": play.recovered,
        "in the log": in_the_log(play),
        "no answer, never sent again": unanswered(play),
    }
    return "\n".join(f"{name}: {value}" for name, value in figures.items())
