"""How the function's cost grows: with the body, the backlog, a queue's batch and the ledger."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from statistics import median

from benchmarks import backlog, compaction, pages, payloads, reconcile_backlog, tool
from benchmarks.figures import OURS, exponent
from benchmarks.made_up import DUE, due_tickets
from benchmarks.processes import PREFIX
from benchmarks.rig import MS, NO_BODY, SLOW_S, Rig, expect
from handler.ledger.keys import OUTBOX


class Growth(Rig):
    """The steps that end in a fitted exponent."""

    def body_growth(self) -> None:
        """How the cost of a callback grows with its length: y = a * x**k."""
        cpu: dict[str, dict[int, list[float]]] = defaultdict(lambda: defaultdict(list))
        parse: dict[str, dict[int, list[float]]] = defaultdict(lambda: defaultdict(list))
        readers = [peer for peer in self.peers if peer not in NO_BODY]
        with self.all_warm(readers) as functions:
            for _ in range(self.effort.growth):
                self.stub.ask("reset")
                for size in self.effort.bodies:
                    event = payloads.event(payloads.sized(size))
                    for peer, function in functions.items():
                        done = function.call(event)
                        expect(done, 200)
                        cpu[peer][size] += done["cpu"]
                    for form in ("xml", "json"):
                        asked = {"parse": payloads.sized(size, form), "count": 3}
                        done = functions[OURS].ask(asked)
                        if "error" in done:
                            raise RuntimeError(f"{size} bytes of {form}: {done['error']}")
                        parse[form][size] += done["cpu"]
        fits = {peer: _fit(points) for peer, points in cpu.items()}
        span = f"{self.effort.bodies[0] / 1e3:g} kB to {self.effort.bodies[-1] / 1e6:g} MB"
        self.table.put("growth.callback", f"exponent: callback, {span}, CPU", "", **fits)
        for form, points in parse.items():
            title = f"exponent: parse alone, {form.upper()}"
            self.table.put(f"growth.parse_{form}", title, "", ours=_fit(points))

    def backlog(self) -> None:
        """What is due, and drains: played in virtual time."""
        backlog.measure(self.table, self.effort.backlog)

    def later(self) -> None:
        """A sweep with 100 alerts that are due, and ever more tickets that are not."""
        walls: dict[int, list[float]] = defaultdict(list)
        cpus: dict[int, list[float]] = defaultdict(list)
        asked: dict[int, float] = {}
        points: dict[int, list[float]] = defaultdict(list)
        with self.function(OURS) as function:
            for turn in range(self.effort.growth + 1):
                for later in self.effort.backlogs:
                    self._load_backlog(later)
                    done = function.call(payloads.timer("sweep"))
                    if self.stub.ask("keys", prefix=f"{PREFIX}{OUTBOX}0"):
                        raise RuntimeError("the sweep left tickets that were due")
                    if not turn:
                        continue
                    total = later + DUE
                    asked[total] = sum(self.stub.ask("count").values())
                    walls[total].append(done["wall"][0] * MS)
                    cpus[total].append(done["cpu"][0] * MS)
                    points[total].append(done["wall"][0])
        for total in walls:
            title = f"sweep, 100 due of {total:,}"
            self.table.add(f"sweep.{total}", title, "ms", {OURS: walls[total]})
        for total in walls:
            title = f"the same CPU, 100 due of {total:,}"
            self.table.add(f"sweep_cpu.{total}", title, "ms", {OURS: cpus[total]})
        highest = max(asked)
        self.table.put(
            "sweep.requests",
            f"COS requests: sweep, 100 due of {highest:,}",
            "",
            ours=asked[highest],
        )
        self.table.put("growth.backlog", "exponent: sweep over its backlog", "", ours=_fit(points))

    def _load_backlog(self, later: int) -> None:
        self.stub.ask("reset")
        self.stub.put_all(due_tickets())
        if later:
            # Due in the year 2096, and so beyond where a sweep's listing stops.
            before = f"{PREFIX}{OUTBOX}4000000000-j"
            self.stub.ask(
                "range", before=before, after="-failed-retry.json", width=7, count=later, body="{}"
            )
        self.stub.ask("count")

    def queue(self) -> None:
        """Batches of a queue's messages with 20 ms a store answer, and 100 one after another."""
        walls: dict[int, list[float]] = defaultdict(list)
        in_turn: list[float] = []
        single = payloads.event(payloads.documented("Translation", "xml"))
        with self.all_warm([OURS]) as functions:
            self.stub.ask("delay", s=SLOW_S)
            for _ in range(self.effort.slow):
                for count in self.effort.batches:
                    done = functions[OURS].call(payloads.batch(count))
                    walls[count].append(done["wall"][0])
                in_turn.append(sum(functions[OURS].call(single, 100)["wall"]))
        for count, samples in walls.items():
            took = [seconds * MS for seconds in samples]
            title = f"queue batch of {count:,}, 20 ms a store answer"
            self.table.add(f"queue.{count}", title, "ms", {OURS: took})
        took = [seconds * MS for seconds in in_turn]
        self.table.add("queue.100_in_turn", "100 callbacks one after another", "ms", {OURS: took})
        self.table.put("growth.queue", "exponent: queue batch", "", ours=_fit(walls))

    def reconcile(self) -> None:
        """What CI's list of many jobs takes to compare, in virtual time: work by time."""
        a_day = self.effort.jobs_a_day
        for ms in (20, 50):
            result = reconcile_backlog.play(a_day, ms / MS)
            title = f"reconcile, {a_day:,} jobs a day, {ms} ms a request: work / time"
            self.table.put(f"reconcile_day.{ms}", title, "", ours=result.load)

    def compact(self) -> None:
        """A day's records on COS, folded into one file there."""
        compaction.measure(self.table, self.stub, self.effort.ledgers)

    def tool(self) -> None:
        """What the command line takes of a ledger of ten days, in a folder and on COS."""
        tool.measure(self.table, self.stub, self.effort.tool)

    def pages(self) -> None:
        """How long the console's pages take over such a ledger in a folder."""
        pages.measure(self.table, self.effort.tool)


def _fit(points: Mapping[int, Sequence[float]]) -> float:
    return exponent([(float(size), median(samples)) for size, samples in points.items()])
