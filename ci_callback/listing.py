"""Rows as commands list them: complete in every form.

In a terminal  a table; where it is too narrow, each row on two lines, or with its last value
               wrapped, and beyond that a block of `name  value` lines for each row
In a pipe      values separated by tabs, a row a line, for cut and awk; names first with --header
--csv          for spreadsheets, names first. A text that a spreadsheet would take for a formula
               gets an apostrophe before it
--json         one object a line; with --columns, of those columns

No value is cut. A tab or a line break inside of one is written as its escape, as is everything that
a terminal would obey.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Annotated, NamedTuple

import typer

from ci_callback.terminal import (
    Cell,
    Styled,
    complain,
    is_terminal,
    json_text,
    print_json,
    print_line,
    say,
    text_width,
    visible,
    width,
)

GAP = 2
INDENT = 4
MAX_LINES = 2
"""Lines of a row, before its last value is wrapped or it becomes a block."""
MIN_WRAPPED = 30
"""Columns of a terminal in which a last value is wrapped."""

_FORMULA = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""Beginnings of a cell, the last four in full width, that a spreadsheet may calculate."""

Columns = Annotated[
    str | None,
    typer.Option(metavar="NAMES", help="Only these columns, in this order: job,tag,code."),
]
AsCsv = Annotated[bool, typer.Option("--csv", help="Print CSV, with the columns' names first.")]
Header = Annotated[
    bool, typer.Option("--header", help="In a pipe, print the columns' names first.")
]


class Form(NamedTuple):
    """How rows are to be printed. columns: their names, separated by commas; None: all."""

    columns: str | None = None
    csv: bool = False
    header: bool = False

    def chosen(self, names: Sequence[str]) -> list[int]:
        """The columns that are shown, by their places among all.

        Raises:
            typer.BadParameter: there is no such column.
        """
        if self.columns is None:
            return list(range(len(names)))
        places = {name: place for place, name in enumerate(names)}
        asked = [name.strip() for name in self.columns.split(",") if name.strip()]
        unknown = [name for name in asked if name not in places]
        if unknown or not asked:
            raise typer.BadParameter(
                f"no column {', '.join(unknown) or 'is named'}; there are {', '.join(names)}",
                param_hint="--columns",
            )
        return [places[name] for name in asked]


def say_rows(
    names: Sequence[str], rows: Iterable[Sequence[Cell]], form: Form, empty: str = ""
) -> int:
    """Print rows; returns their number. empty: printed if there are no rows."""
    chosen = form.chosen(names)
    shown = [names[place] for place in chosen]
    cells = ([row[place] for place in chosen] for row in rows)
    if form.csv:
        return _csv(shown, cells)
    if is_terminal():
        return _for_people(shown, list(cells), empty)
    return _tab_separated(shown if form.header else None, cells, empty)


def printer_of_rows(names: Sequence[str], form: Form) -> Callable[[Sequence[Cell]], None]:
    """Prints rows one by one, as they come: in a terminal each on a line, else as `say_rows`."""
    chosen = form.chosen(names)
    shown = [names[place] for place in chosen]
    if form.csv:
        print_line(_csv_line([_unless_formula(name) for name in shown]))
    elif form.header and not is_terminal():
        print_line("\t".join(shown))

    def print_row(row: Sequence[Cell]) -> None:
        cells = [row[place] for place in chosen]
        if form.csv:
            print_line(_csv_line([_unless_formula(cell) for cell in cells]))
        elif is_terminal():
            say(*(cell if isinstance(cell, Styled) else _whole(cell) for cell in cells), sep="  ")
        else:
            print_line("\t".join(map(_whole, cells)))

    return print_row


def print_objects(names: Sequence[str], rows: Iterable[Sequence[Cell]], form: Form) -> None:
    """Print rows as JSON, an object a line, of the chosen columns."""
    chosen = form.chosen(names)
    for row in rows:
        values = (row[place] for place in chosen)
        plain = [value.value if isinstance(value, Styled) else value for value in values]
        print_json(dict(zip((names[place] for place in chosen), plain, strict=True)))


def _tab_separated(names: Sequence[str] | None, rows: Iterator[list[Cell]], empty: str) -> int:
    if names is not None:
        print_line("\t".join(map(visible, names)))
    count = 0
    for row in rows:
        count += 1
        print_line("\t".join(map(_whole, row)))
    if not count and empty:
        complain(empty)
    return count


def _csv(names: Sequence[str], rows: Iterator[list[Cell]]) -> int:
    print_line(_csv_line([_unless_formula(name) for name in names]))
    count = 0
    for row in rows:
        count += 1
        print_line(_csv_line([_unless_formula(cell) for cell in row]))
    return count


def _csv_line(values: Sequence[str]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(values)
    return line.getvalue()


def _unless_formula(cell: Cell) -> str:
    text = _whole(cell)
    value = cell.value if isinstance(cell, Styled) else cell
    is_text = not isinstance(value, (int, float))
    return f"'{text}" if is_text and text.startswith(_FORMULA) else text


def _whole(cell: Cell) -> str:
    """A cell on one line."""
    if isinstance(cell, Styled):
        return visible(cell.value)
    if isinstance(cell, tuple):
        return " ".join(map(_whole, cell))
    return visible(json_text(cell) if isinstance(cell, (dict, list)) else cell)


# --- in a terminal ------------------------------------------------------------------------


def _for_people(names: Sequence[str], rows: Sequence[list[Cell]], empty: str) -> int:
    if not rows:
        say(empty or "No rows.")
        return 0
    widths = [
        max(text_width(name), *(text_width(_whole(row[place])) for row in rows))
        for place, name in enumerate(names)
    ]
    lines = _lines(widths, width())
    head: list[Cell] = [Styled(name, "bold") for name in names]
    before_last = sum(widths[:-1]) + GAP * (len(widths) - 1)
    if lines is None and not _can_wrap([row[-1] for row in rows], width() - before_last):
        _blocks(names, rows)
        return len(rows)
    for number, row in enumerate([head, *rows]):
        if lines is None:
            _with_last_wrapped(row, widths, before_last)
        else:
            for indent, places in zip((0, INDENT), lines, strict=False):
                if indent == 0 or any(_whole(row[place]) for place in places):
                    say(" " * indent, *_padded(row, places, widths), sep="")
        if number == 0:
            say("─" * min(width(), sum(widths) + GAP * (len(widths) - 1)))
    return len(rows)


def _can_wrap(values: Sequence[Cell], room: int) -> bool:
    """Whether values go into a column without a word that is longer."""
    return room >= MIN_WRAPPED and all(
        text_width(line) <= room for value in values for line in wrapped(_whole(value), room)
    )


def _with_last_wrapped(row: Sequence[Cell], widths: Sequence[int], before_last: int) -> None:
    """A row whose last value goes on below itself, on as many lines as it needs."""
    last = row[-1]
    style = last.style if isinstance(last, Styled) else ""
    first, *more = wrapped(_whole(last), width() - before_last)
    padded = _padded(row, range(len(row)), widths)[:-1]
    say(*padded, Styled(first, style), sep="")
    for line in more:
        say(" " * before_last, Styled(line, style), sep="")


def wrapped(text: str, room: int) -> list[str]:
    """A text in lines of at most so many columns, cut between words. A longer word stays whole, so
    that it can be copied; but not one in Chinese, which has no blanks."""
    lines = [""]
    for word in text.split(" "):
        joined = f"{lines[-1]} {word}" if lines[-1] else word
        if text_width(joined) <= room:
            lines[-1] = joined
            continue
        if lines[-1]:
            lines.append("")
        if word.isascii():
            lines[-1] = word
            continue
        for character in word:
            if text_width(lines[-1] + character) > room:
                lines.append("")
            lines[-1] += character
    return lines


def _lines(widths: Sequence[int], limit: int) -> list[list[int]] | None:
    """The columns of each line of a row; None where MAX_LINES do not hold them."""
    lines: list[list[int]] = [[]]
    used = 0
    for place, needed in enumerate(widths):
        if lines[-1] and used + GAP + needed > limit:
            lines.append([])
            used = INDENT
        used += needed + (GAP if lines[-1] else 0)
        if used > limit or len(lines) > MAX_LINES:
            return None
        lines[-1].append(place)
    return lines


def _padded(row: Sequence[Cell], places: Sequence[int], widths: Sequence[int]) -> list[Styled]:
    """The cells of a line, each as wide as its column but for the last one."""
    padded = []
    for place in places:
        cell = row[place]
        text = _whole(cell)
        room = widths[place] - text_width(text) + GAP if place != places[-1] else 0
        padded.append(Styled(text + " " * room, cell.style if isinstance(cell, Styled) else ""))
    return padded


def _blocks(names: Sequence[str], rows: Sequence[list[Cell]]) -> None:
    """A line for each value that there is, or more; a longer word stays in one piece."""
    widest = max(map(text_width, names))
    for number, row in enumerate(rows):
        if number:
            say()
        for name, cell in zip(names, row, strict=True):
            text = _whole(cell)
            if text:
                style = cell.style if isinstance(cell, Styled) else ""
                padding = " " * (widest - text_width(name) + 1)
                first, *more = wrapped(text, width() - widest - 1)
                say(Styled(name, "bold"), padding, Styled(first, style), sep="")
                for line in more:
                    say(" " * widest, Styled(line, style))
