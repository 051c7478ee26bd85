"""two_runs.py: what two runs say, as docs/performance.md shows it."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from benchmarks.figures import Row, Table
from benchmarks.two_runs import BEGIN, END, main, section, spread, table_of, written

ABOUT = {
    "python": "3.10.13",
    "machine": "x86_64",
    "cpus": 2,
    "measured_at": "2026-01-02T03:04:05Z",
    "load_before": 0.04,
    "seconds": 725,
}


def run(cpu: float, requests: int = 1) -> Table:
    """A run of two rows."""
    cold = Row("cold.https.cpu", "cold start, CPU", "ms", {"ours": cpu, "limit": 100.0}, 15)
    kept = Row("requests.kept", "COS requests: kept", "", {"ours": requests})
    return Table(ABOUT, {cold.key: cold, kept.key: kept})


def test_a_run_is_read_as_it_was_written() -> None:
    """From the JSON that the command leaves."""
    whole = run(42.0)
    assert table_of(json.loads(json.dumps(whole.to_json()))) == whole


def test_the_spread_is_the_largest_difference() -> None:
    """Of the bars that both runs measured."""
    assert spread(run(42.0), run(47.0), "CPU /") == pytest.approx(0.05)
    assert spread(run(42.0), run(47.0), "instructions") == 0


def test_a_section_holds_both_runs() -> None:
    """The machine, the bars side by side, and each run whole."""
    text = section(run(42.0), run(47.0))
    assert "Python 3.10.13, x86_64, 2 processors (load before: 0.0 and 0.0), 2026-01-02" in text
    assert "12 min 5 s and 12 min 5 s. Every bar held in both." in text
    bars = [line.split() for line in text.splitlines() if line.startswith("cold start, TLS, CPU /")]
    assert bars[0][-4:] == ["0.42", "0.47", "≤", "0.6"]
    assert text.count("cold start, CPU, ms") == 2


def test_a_bar_that_failed_is_named() -> None:
    """In whichever of the two."""
    assert "These bars failed in one of them: COS requests, kept." in section(run(42.0), run(42, 2))


def test_a_run_of_some_steps_is_refused() -> None:
    """What it left out can't be said to hold in both."""
    second = run(42.0)
    del second.rows["requests.kept"]
    with pytest.raises(ValueError, match="the other has not"):
        section(run(42.0), second)


def test_it_stands_in_place_of_the_last_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twice is once; the rest of the document stays."""
    for name in ("1.json", "2.json"):
        (tmp_path / name).write_text(json.dumps(run(42.0).to_json()), "utf-8")
    document = tmp_path / "page.md"
    document.write_text(f"# A\n\n{BEGIN}\nold\n\n{END}\nb\n", "utf-8")
    arguments = [str(tmp_path / "1.json"), str(tmp_path / "2.json"), "--write", str(document)]
    monkeypatch.setattr(sys, "argv", ["two_runs", *arguments])
    main()
    once = document.read_text("utf-8")
    assert once == f"# A\n\n{BEGIN}\n{section(run(42.0), run(42.0))}\n{END}\nb\n"
    main()
    assert document.read_text("utf-8") == once


@pytest.mark.parametrize("document", ["", BEGIN, END])
def test_a_document_without_its_place_is_refused(document: str) -> None:
    """Rather than written to at a wrong one."""
    with pytest.raises(ValueError, match="not between"):
        written(document, "text")
