"""The table's arithmetic: ratios, exponents, bars, and how they are shown."""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from benchmarks import __main__ as command
from benchmarks import chart, trees
from benchmarks.figures import BARS, PEERS, Bar, Row, Table, exponent, ratio


def row(key: str, **values: float | str) -> Row:
    """A row of figures."""
    return Row(key, key, "ms", values)


def test_a_ratio_is_ours_to_theirs() -> None:
    """And none where one of them has no figure."""
    figures = row("cold.wall", ours=50.0, typical=100.0, limit=40.0, boto3="lost")
    assert ratio(figures, "typical") == 0.5
    assert ratio(figures, "limit") == 1.25
    assert ratio(figures, "boto3") is None
    assert ratio(figures, "bare") is None
    assert ratio(row("x", ours=1.0, limit=0.0), "limit") is None


def test_a_row_holds_medians() -> None:
    """Of an odd and of an even number of samples, each peer by itself."""
    table = Table()
    table.add("a", "A", "ms", {"ours": [3.0, 100.0, 1.0], "limit": [1.0, 2.0], "bare": []})
    assert table.rows["a"].values == {"ours": 3.0, "limit": 1.5}
    assert table.rows["a"].samples == 3


@pytest.mark.parametrize("k", [0.0, 0.5, 1.0, 1.05, 2.0])
def test_the_exponent_of_a_power_is_its_exponent(k: float) -> None:
    """Whatever it is multiplied by."""
    points = [(x, 7.3 * x**k) for x in (10.0, 300.0, 20_000.0, 1e6)]
    assert exponent(points) == pytest.approx(k, abs=1e-9)


def test_the_exponent_of_scattered_points_is_the_best_line() -> None:
    """Least squares over the logarithms: worked out by hand for three points."""
    points = [(1.0, 1.0), (math.e, math.e**2), (math.e**2, math.e**2)]
    assert exponent(points) == pytest.approx(1.0)


@pytest.mark.parametrize(
    "points", [[], [(1.0, 2.0)], [(1.0, 2.0), (1.0, 3.0)], [(0.0, 1.0), (1.0, 1.0)]]
)
def test_too_few_points_have_no_exponent(points: list[tuple[float, float]]) -> None:
    """One size, or none, says nothing about growth."""
    assert math.isnan(exponent(points))


def test_a_bar_compares_with_a_peer() -> None:
    """At the bar holds; above fails; not measured is neither."""
    bar = Bar("cold", "cold.wall", "cold.wall@typical", 0.5)
    assert bar.holds({"cold.wall": row("cold.wall", ours=1.0, typical=2.0)}) is True
    assert bar.holds({"cold.wall": row("cold.wall", ours=1.1, typical=2.0)}) is False
    assert bar.holds({}) is None
    assert bar.holds({"cold.wall": row("cold.wall", ours=1.0)}) is None


def test_a_bar_on_a_count_is_exact() -> None:
    """One request fewer is not what was promised either."""
    bar = Bar("kept", "requests.kept", "", 2, exactly=True)
    holds = [bar.holds({"requests.kept": row("requests.kept", ours=n)}) for n in (1.0, 2.0, 3.0)]
    assert holds == [False, True, False]


def test_bars_have_names_of_their_own_and_name_peers_that_are_there() -> None:
    """So that none hides another."""
    assert len({bar.name for bar in BARS}) == len(BARS)
    named = {part.partition("@")[2] for bar in BARS for part in (bar.top, bar.bottom)}
    assert named - {""} <= set(PEERS)


def made() -> Table:
    """A table with three rows."""
    table = Table({"python": "3.10.13"})
    values = {"ours": [60.0], "typical": [120.0], "limit": [50.0]}
    table.add("cold.https.cpu", "cold start", "ms", values)
    table.add("cold.https.wall", "cold start, wall", "ms", values)
    table.put("requests.dead_letter", "not understood", "", ours=2.0, typical="lost")
    return table


def test_the_table_shows_peers_in_columns_and_ratios_behind_them() -> None:
    """And below it what must hold, and whether it does."""
    head, cold, _, dead, *rest = made().to_text().splitlines()
    assert head.split() == ["ours", "typical", "limit", "/typical", "/limit"]
    assert cold.split() == ["cold", "start,", "ms", "60", "120", "50", "0.50", "1.20"]
    assert dead.split() == ["not", "understood", "2", "lost"]
    shown = "\n".join(rest)
    assert "cold start, TLS, CPU / typical" in shown
    assert next(line for line in rest if line.startswith("cold start, TLS, CPU / limit")).endswith(
        "FAILS"
    )


def test_bars_that_fail_are_named() -> None:
    """Neither those that hold nor those that were not measured."""
    assert made().failing() == [
        "cold start, TLS, CPU / limit",
        "cold start, TLS, CPU / typical",
    ]


@pytest.mark.parametrize(("ours", "fails"), [(60.0, True), (20.0, False)])
def test_a_bar_that_fails_fails_the_command(
    ours: float, fails: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After the table is printed and written."""
    table = Table()
    table.add("cold.https.cpu", "cold start", "ms", {"ours": [ours], "limit": [50.0]})
    monkeypatch.setattr(trees, "python_for", lambda chosen: chosen)
    monkeypatch.setattr(trees, "build", lambda python, names: None)
    monkeypatch.setattr(command, "run", lambda built, effort, only: table)
    written = tmp_path / "bench.json"
    monkeypatch.setattr(sys, "argv", ["benchmarks", "--only", "cold", "--json", str(written)])
    if fails:
        with pytest.raises(SystemExit, match="1 of what must hold fails"):
            command.main()
    else:
        command.main()
    assert json.loads(written.read_text())["rows"]


def test_the_json_holds_figures_ratios_and_bars() -> None:
    """What is not measured is null: JSON has no other word for it."""
    shown = json.loads(json.dumps(made().to_json(), allow_nan=False))
    cold = shown["rows"][0]
    assert (cold["to_typical"], cold["to_limit"]) == (0.5, 1.2)
    bars = {bar["name"]: bar for bar in shown["bars"]}
    assert bars["cold start, TLS, CPU / typical"] == {
        "name": "cold start, TLS, CPU / typical",
        "measured": 0.5,
        "bar": 0.3,
        "holds": False,
    }
    assert bars["peak memory with 1 MB, MB"]["measured"] is None


def test_the_chart_is_svg_with_a_bar_for_each_figure() -> None:
    """As wide as its figure, and with words for who can't see it."""
    root = ElementTree.fromstring(chart.draw(made()))
    name = "{http://www.w3.org/2000/svg}"
    widths = [float(rect.get("width", "0")) for rect in root.iter(f"{name}rect")]
    assert len(widths) == 3
    assert widths[0] / widths[1] == pytest.approx(0.5, abs=0.01)
    described = root.find(f"{name}desc")
    assert described is not None
    assert "ours 60.0 ms, typical 120 ms" in str(described.text)
    assert "prefers-color-scheme: dark" in str(root.find(f"{name}style").text)  # type: ignore[union-attr]  # None fails the test
