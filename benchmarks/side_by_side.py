"""Rows of all peers: cold, warm, memory, requests, round trips, size. Runs are interleaved."""

from __future__ import annotations

import contextlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks import payloads, trees
from benchmarks.figures import OURS
from benchmarks.rig import MS, NO_BODY, SCHEMES, SLOW_S, Rig, Samples, Scheme, expect

STRANGER = payloads.event(payloads.documented("Translation", "xml"), "not-the-token")
"""A callback with a wrong token."""


class SideBySide(Rig):
    """The steps whose rows have a figure of each peer."""

    def cold(self) -> None:
        """From the start of the process to the first record stored."""
        event = payloads.event(payloads.documented("Translation", "xml"))
        rows: dict[str, Samples] = defaultdict(lambda: defaultdict(list))
        sdk: dict[str, float | str] = {}
        for _ in range(self.effort.cold):
            self.stub.ask("reset")
            for peer in self.peers:
                for scheme in SCHEMES:
                    done, wall = self._once(peer, event, scheme)
                    expect(done, 200)
                    rows[f"cold.{scheme}.wall"][peer].append(wall * MS)
                    rows[f"cold.{scheme}.cpu"][peer].append(done["cpu_in_all"] * MS)
                    rows[f"memory.{scheme}"][peer].append(done["peak_kb"] / 1000)
                if peer in NO_BODY:
                    continue
                done, wall = self._once(peer, STRANGER, "none")
                expect(done, 401)
                rows["refused.wall"][peer].append(wall * MS)
                rows["refused.cpu"][peer].append(done["cpu_in_all"] * MS)
                sdk[peer] = float(done["sdk"])
        self._add_cold(rows)
        self.table.put("refused.sdk", "refused, cold: COS SDK imported", "", **sdk)

    def _add_cold(self, rows: Mapping[str, Samples]) -> None:
        add = self.table.add
        for scheme, over in SCHEMES.items():
            title = f"cold start to the first record, {over}"
            add(f"cold.{scheme}.wall", title, "ms", rows[f"cold.{scheme}.wall"])
            add(f"cold.{scheme}.cpu", "the same, CPU", "ms", rows[f"cold.{scheme}.cpu"])
        add("refused.wall", "refused (bad token), cold", "ms", rows["refused.wall"])
        add("refused.cpu", "the same, CPU", "ms", rows["refused.cpu"])
        for scheme, over in SCHEMES.items():
            title = f"peak memory, one small callback, {over}"
            add(f"memory.{scheme}", title, "MB", rows[f"memory.{scheme}"])

    def _once(
        self, peer: str, event: Mapping[str, Any], scheme: Scheme = "https"
    ) -> tuple[dict[str, Any], float]:
        with self.function(peer, scheme) as function:
            done = function.call(event)
        return done, done["at"] - function.started

    def warm(self) -> None:
        """One callback after another in one process; each job is new."""
        bodies = {
            **payloads.small(),
            "100kb": ("100 kB, XML", payloads.sized(100_000)),
            "1mb": ("1 MB, XML", payloads.sized(1_000_000)),
        }
        rows: dict[tuple[str, str], Samples] = defaultdict(lambda: defaultdict(list))
        with self.all_warm(self.peers) as functions:
            for name, (_, body) in bodies.items():
                event = payloads.event(body)
                small = len(body) < 10_000
                calls = self.effort.warm_calls if small else 1
                for turn in range((self.effort.warm if small else self.effort.large) + 1):
                    for peer, function in functions.items():
                        if not small and peer in NO_BODY:
                            continue
                        done = function.call(event, calls)
                        expect(done, 200)
                        if turn:  # the first is for caches
                            rows["wall", name][peer] += [seconds * MS for seconds in done["wall"]]
                            rows["cpu", name][peer] += [seconds * MS for seconds in done["cpu"]]
                self.stub.ask("reset")
        for kind, label in (("cpu", "warm CPU"), ("wall", "warm wall")):
            for name, (title, _) in bodies.items():
                self.table.add(f"warm.{kind}.{name}", f"{label}: {title}", "ms", rows[kind, name])

    def memory(self) -> None:
        """The most memory of a process whose first callback is 1 MB."""
        event = payloads.event(payloads.sized(1_000_000).replace("@JOB@", "1"))
        samples: Samples = defaultdict(list)
        for _ in range(min(3, self.effort.large)):
            self.stub.ask("reset")
            for peer in self.peers:
                if peer not in NO_BODY:
                    done, _ = self._once(peer, event)
                    expect(done, 200)
                    samples[peer].append(done["peak_kb"] / 1000)
        self.table.add("memory.1mb", "peak memory, one callback of 1 MB", "MB", samples)

    def requests(self) -> None:
        """COS requests a callback, counted by the stub."""
        kept = payloads.event(payloads.documented("Translation", "xml"))
        bad = payloads.event(payloads.failed())
        cases: Sequence[tuple[str, str, Any, bool]] = (
            ("kept", "kept", kept, False),
            ("duplicate", "duplicate", kept, True),
            ("failed", "failed", bad, False),
            ("failed_duplicate", "failed, again", bad, True),
            ("recovered", "recovered", payloads.event(payloads.recovered()), False),
            ("dead_letter", "not understood", payloads.event("<Response><JobId>1</Res"), False),
            ("refused", "refused", {**kept, "queryString": {}}, False),
            ("idle_sweep", "idle sweep", payloads.timer("sweep"), False),
        )
        counts: dict[str, dict[str, float | str]] = defaultdict(dict)
        with contextlib.ExitStack() as stack:
            for peer in self.peers:
                if peer.endswith(("+", "+pyc")):
                    continue  # the same as without
                self.stub.ask("reset")
                self.stub.put_all(payloads.PROOF)
                function = stack.enter_context(self.function(peer))
                for name, _, event, again in cases:
                    if (peer in NO_BODY and name != "kept") or (
                        name == "idle_sweep" and peer != OURS
                    ):
                        continue
                    if name == "idle_sweep":
                        self.stub.ask("reset")  # with nothing to do
                    self.stub.ask("count")
                    done = function.call(event, again=again)
                    requests = sum(self.stub.ask("count").values())
                    counts[name][peer] = "lost" if "error" in done else float(requests)
        for name, title, _, _ in cases:
            self.table.put(f"requests.{name}", f"COS requests: {title}", "", **counts[name])
        self._forwarded(kept)

    def _forwarded(self, kept: dict[str, Any]) -> None:
        """The same where FORWARD_URLS is set: of this function alone."""
        cases = (
            ("kept_forwarded", "kept, and forwarded", kept),
            ("idle_forward", "idle run of the task that forwards", payloads.timer("forward")),
        )
        with self.function(OURS, FORWARD_URLS=payloads.DESTINATION) as function:
            for name, title, event in cases:
                self.stub.ask("reset")
                done = function.call(event)
                count = "lost" if "error" in done else float(sum(self.stub.ask("count").values()))
                self.table.put(f"requests.{name}", f"COS requests: {title}", "", ours=count)

    def slow(self) -> None:
        """Wall time where each answer of the store takes 20 ms longer."""
        cases = {
            "kept": payloads.event(payloads.documented("Translation", "xml")),
            "failed": payloads.event(payloads.failed()),
        }
        rows: dict[str, Samples] = defaultdict(lambda: defaultdict(list))
        with self.all_warm(self.peers) as functions:
            self.stub.ask("delay", s=SLOW_S)
            for _ in range(self.effort.slow):
                for name, event in cases.items():
                    for peer, function in functions.items():
                        if name == "failed" and peer in NO_BODY:
                            continue
                        done = function.call(event, 5)
                        rows[name][peer] += [seconds * MS for seconds in done["wall"]]
        for name, samples in rows.items():
            title = f"{name}, wall with 20 ms a store answer"
            self.table.add(f"slow.{name}", title, "ms", samples)

    def sizes(self) -> None:
        """What is uploaded, and what it unpacks to."""
        plain: dict[str, float | str] = {}
        zipped: dict[str, float | str] = {}
        for peer, folder in self.trees.folders.items():
            plain[peer], zipped[peer] = (size / 1e6 for size in trees.size(folder))
        self.table.put("size.plain", "bundle, unpacked", "MB", **plain)
        self.table.put("size.zip", "bundle, zipped (-9)", "MB", **zipped)
        theirs = trees.size(self.trees.requirements)
        self.table.put(
            "size.zip_requirements",
            "our requirements by pip alone, zipped (-9)",
            "MB",
            ours=theirs[1] / 1e6,
        )
