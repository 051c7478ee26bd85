"""tools/figures.py: each figure of the documents has a command that makes it, and both agree."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.test_doc_twins import TWINS
from tools.figures import bars, check, difference, figures, numbers, output_of
from tools.figures_table import BARS, FIGURES, SECONDS, Figure

ROOT = Path(__file__).parents[1]
ALL = figures((), is_long=True)


def text(name: str) -> str:
    """A page."""
    return (ROOT / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("figure", ALL, ids=lambda figure: f"{figure.page} {figure.shown[:40]}")
def test_the_page_shows_the_figure_once(figure: Figure) -> None:
    """And its command is a known one."""
    pattern = figure.shown.replace("{}", r"[\d,]+(?:\.\d+)?")
    assert len(re.findall(pattern, text(figure.page))) == 1
    assert figure.command in SECONDS


@pytest.mark.parametrize("figure", FIGURES, ids=lambda figure: f"{figure.page} {figure.shown[:40]}")
def test_the_chinese_page_shows_the_same_numbers(figure: Figure) -> None:
    """Somewhere, in the same form: the words around them are others."""
    twin = dict(TWINS).get(figure.page)
    if twin is None:
        return
    found = re.search(figure.shown.replace("{}", r"([\d,]+(?:\.\d+)?)"), text(figure.page))
    assert found
    assert [value for value in found.groups() if value not in text(twin)] == []


def test_what_takes_seconds_agrees() -> None:
    """`make figures`; the rest with LONG=1."""
    quick = figures((), is_long=False)
    assert len(quick) >= 8
    assert check(quick, output_of) == []


def test_a_figure_that_moved_by_more_than_its_spread_is_named() -> None:
    """With what the page shows, and what was made."""
    figure = Figure("x.md", "takes {} s", "python -m x", "took {}", 0.1)
    assert difference(figure, "takes 10 s", "took 10.9") == ""
    assert difference(figure, "takes 10 s", "took 12") == ("shows 10, but python -m x makes 12")


def test_the_rounding_of_the_page_is_no_difference() -> None:
    """2.0 stands for all from 1.95 to 2.05."""
    figure = Figure("x.md", "costs {} USD", "python -m x", ".total", 0)
    assert difference(figure, "costs 2.17 USD", '{"total": 2.1699}') == ""
    assert difference(figure, "costs 2.17 USD", '{"total": 2.18}') != ""


def test_a_figure_that_is_gone_is_named() -> None:
    """From the page, or from the output."""
    figure = Figure("x.md", "takes {} s", "python -m x", "took {}", 0.1)
    assert "the page has no figure" in difference(figure, "is fast", "took 1")
    assert "the output has no figure" in difference(figure, "takes 1 s", "failed")


def test_every_bar_of_the_benchmarks_is_compared() -> None:
    """The lines of the first table, with commas in their figures."""
    assert len(list(bars(text(BARS)))) > 50
    assert numbers("a {} b {}", "a 1,000 b 2.5") == [1000.0, 2.5]
