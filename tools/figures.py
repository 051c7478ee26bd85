"""Makes the figures of the documents anew, and compares: python -m tools.figures [--long] [PAGE…]

Fails where a page shows another figure than its command makes, by more than the figure's spread.
Without --long it runs what takes seconds.
"""

from __future__ import annotations

import argparse
import json
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path

from tools.figures_table import BAR_SPREADS, BARS, BENCH, FIGURES, SECONDS, Figure

ROOT = Path(__file__).parents[1]
QUICK_S = 5
NUMBER = r"([\d,]+(?:\.\d+)?)"

Run = Callable[[str], str]
"""Gives the output of a command."""


def numbers(pattern: str, text: str) -> list[float] | None:
    """The numbers of the first match; None without one. {} in the pattern stands for a number."""
    found = re.search(pattern.replace("{}", NUMBER), text)
    return [float(value.replace(",", "")) for value in found.groups()] if found else None


def printed(figure: Figure, output: str) -> list[float] | None:
    """The figures that a command made; None where its output does not have them."""
    if figure.printed.startswith("#"):
        return [float(len(re.findall(figure.printed[1:], output)))]
    if not figure.printed.startswith("."):
        return numbers(figure.printed, output)
    values = []
    for path in figure.printed.split():
        value = json.loads(output)
        for name in path[1:].split("."):
            value = value[name]
        values.append(float(value))
    return values


def difference(figure: Figure, page: str, output: str) -> str:
    """What is wrong with a figure; "" where page and command agree."""
    shown, made = numbers(figure.shown, page), printed(figure, output)
    if shown is None:
        return f"the page has no figure such as {figure.shown}"
    if made is None:
        return f"the output has no figure such as {figure.printed}"
    scaled = [value / figure.scale for value in made]
    if all(_agree(*pair, figure.spread) for pair in zip(shown, scaled, strict=True)):
        return ""
    return f"shows {_text(shown)}, but {figure.command} makes {_text(scaled)}"


def _agree(shown: float, made: float, spread: float) -> bool:
    """Whether they differ by the spread at most, or by the rounding of what is shown."""
    digits = len(f"{shown:g}".partition(".")[2])
    rounding: float = 0.5 * 10.0**-digits + 1e-9
    return abs(shown - made) <= max(spread * shown, rounding)


def _text(values: Iterable[float]) -> str:
    return ", ".join(f"{value:,.2f}".rstrip("0").rstrip(".") for value in values)


def bars(page: str) -> Iterator[Figure]:
    """A figure for each line of the table of bars: its first run."""
    table = page.split("what must hold", 1)[1].split("```", 1)[0]
    for line in table.splitlines()[1:]:
        name = re.split(r"\s{2,}", line)[0]
        spread = next(spread for word, spread in BAR_SPREADS if word in name)
        pattern = rf"(?m)^{re.escape(name)}\s+{{}}"
        yield Figure(BARS, pattern, BENCH, pattern, spread)


def figures(pages: Sequence[str], is_long: bool) -> list[Figure]:
    """Those of some pages; of all where none is named."""
    every = [*FIGURES, *bars((ROOT / BARS).read_text(encoding="utf-8"))]
    return [
        figure
        for figure in every
        if (is_long or SECONDS[figure.command] <= QUICK_S)
        and (not pages or any(figure.page.endswith(page) for page in pages))
    ]


def check(chosen: Iterable[Figure], run: Run) -> list[str]:
    """A line for each figure that differs."""
    wrong = []
    for figure in chosen:
        page = (ROOT / figure.page).read_text(encoding="utf-8")
        fault = difference(figure, page, run(figure.command))
        if fault:
            wrong.append(f"{figure.page}: {fault}")
    return wrong


@cache
def output_of(command: str) -> str:
    """Its output; each command runs once."""
    print(f"{command} (about {SECONDS[command]} s)", file=sys.stderr)
    words = [sys.executable, *shlex.split(command)[1:]]
    done = subprocess.run(words, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
    return done.stdout


def main() -> int:
    """Compare; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tools.figures", description=__doc__)
    parser.add_argument("--long", action="store_true", help="also what takes minutes")
    parser.add_argument("pages", nargs="*", help="such as costs.md; without it all")
    options = parser.parse_args()
    chosen = figures(options.pages, options.long)
    wrong = check(chosen, output_of)
    print(*wrong, sep="\n", end="\n" if wrong else "")
    print(f"{len(chosen) - len(wrong)} of {len(chosen)} figures agree")
    return 1 if wrong or not chosen else 0


if __name__ == "__main__":
    sys.exit(main())
