"""Routines, written as generators, made into states that can be compared and gone back to.

A generator can't be copied, but it can be played again: where it stands follows from its
arguments and the answers that it got. Each such place gets a number, once.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any, NamedTuple, TypeAlias

from tests.slow.model.requests import LostError, Request, TooLateError


class Then(NamedTuple):
    """What a step returns to hand on to the next one. All that it saw is forgotten with that,
    so that states which differ in the way they were come to, and in nothing else, are one."""

    step: Callable[..., Steps]
    args: tuple[Any, ...] = ()


Steps: TypeAlias = Generator[Request, Any, Any]
"""Yields requests, takes their answers, returns Then, or anything else at its end."""

_Place: TypeAlias = tuple[Then, tuple[Any, ...]]

ENDED = -1
"""The place of a routine that has come to its end."""


class Routines:
    """The places of all routines of one set of rules, as they are discovered.

    after_loss: the step that follows where a request without an answer is not caught.
    """

    def __init__(self, rules: Any, after_loss: Then) -> None:
        self._rules = rules
        self._after_loss = after_loss
        self._numbers: dict[_Place, int] = {}
        self._places: list[_Place] = []
        self._after: list[dict[Any, int]] = []
        self.requests: list[Request] = []
        """What is asked for next at each place."""

    def start(self, step: Callable[..., Steps], *args: Any) -> int:
        """The place of a routine's first request."""
        return self._place(Then(step, args), ())

    def answer(self, place: int, answer: Any) -> int:
        """The place that an answer leads to; an exception's class as answer is raised."""
        after = self._after[place].get(answer)
        if after is None:
            then, answers = self._places[place]
            after = self._after[place][answer] = self._place(then, (*answers, answer))
        return after

    def _place(self, then: Then, answers: tuple[Any, ...]) -> int:
        number = self._numbers.get((then, answers))
        if number is not None:
            return number
        outcome = self._play(then, answers)
        if isinstance(outcome, Then):
            number = self._place(outcome, ())
        elif outcome is None:
            number = ENDED
        else:
            number = len(self._places)
            self._places.append((then, answers))
            self._after.append({})
            self.requests.append(outcome)
        self._numbers[then, answers] = number
        return number

    def _play(self, then: Then, answers: tuple[Any, ...]) -> Request | Then | None:
        """The request after these answers, the step that follows, or None at the end."""
        steps = then.step(self._rules, *then.args)
        try:
            request = next(steps)
            for answer in answers:
                raised = answer in (LostError, TooLateError)
                request = steps.throw(answer()) if raised else steps.send(answer)
        except StopIteration as end:
            return end.value if isinstance(end.value, Then) else None
        except LostError:
            return self._after_loss
        except TooLateError:
            return None
        return request
