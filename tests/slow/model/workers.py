"""A sweep that works on several tickets at a time: its workers share one lease and one process."""

from __future__ import annotations

from collections.abc import Iterator

from tests.slow.model import protocol
from tests.slow.model.routines import ENDED
from tests.slow.model.state import NOBODY, Lease, Slot, State, replaced
from tests.slow.model.world import Move, World


class SharedWorld(World):
    """As World; the slots behind those of the callbacks are the workers of one sweep at a time."""

    def canonical(self, state: State) -> State:
        """The lease is the first worker's, whichever slot that worker is in."""
        first = self._owner(0)
        workers = tuple(sorted(state.slots[first:]))
        return state._replace(slots=(*state.slots[:first], *workers))

    def _owner(self, number: int) -> int:
        return len(self.scope.callbacks)

    def _begin(self, state: State, number: int) -> Iterator[Move]:
        """A worker joins those that run; or it is the first one of a new sweep."""
        begun = Slot(self._routines.start(protocol.worker))
        leases = [entry for entry in state.timeline if isinstance(entry, Lease)]
        what = (self._names[number], "begins")
        if any(slot.place != ENDED for slot in state.slots[self._owner(number) :]):
            late = any(slot.late for slot in state.slots)
            yield Move(what, state.with_slot(number, begun._replace(late=late)))
        elif not leases:
            timeline = (*state.timeline, Lease(self._owner(number), seen=True))
            yield Move(what, state.with_timeline(timeline).with_slot(number, begun))

    def _end(self, state: State, number: int, in_doubt: bool = False) -> State:
        """The lease goes with the last worker, unless one of them is in doubt of a write."""
        doubt = in_doubt or state.slots[number].late
        state = state.with_slot(number, Slot(late=doubt))
        if in_doubt and self.scope.rules.on("lease_given_up_by_all"):
            state = self._too_late(state, self._owner(number))
        if any(slot.place != ENDED for slot in state.slots):
            return state
        return self._drop(state, stays=any(slot.late for slot in state.slots))

    def _die(self, state: State, number: int) -> State:
        """All workers die with it."""
        return self._drop(state, stays=True)

    def _drop(self, state: State, stays: bool) -> State:
        """Nothing of the sweep is left, but perhaps its lease."""
        own = state.lease(self._owner(0))
        state = state._replace(slots=tuple(Slot() for _ in state.slots))
        if own is None:
            return state
        left = (Lease(NOBODY, seen=True),) if stays else ()
        return state.with_timeline(replaced(state.timeline, state.timeline.index(own), *left))

    def _too_late(self, state: State, owner: int) -> State:
        for number in range(owner, len(state.slots)):
            slot = state.slots[number]
            if slot.place != ENDED:
                state = state.with_slot(number, slot._replace(late=True)).with_excuse(number)
        return state
