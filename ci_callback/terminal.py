"""Prints for the commands. Values are text: never Rich markup, never control sequences.

Every command prints through this module. No other one imports Rich or writes to stdout or stderr,
but for bars (late_bar.py); tests/ci_callback/test_terminal.py checks both. A record holds texts of
strangers: a file name may look like markup, move the cursor (U+001B, U+009B) or reverse the reading
order (U+202E). For people such characters are replaced by their escapes; in JSON they are written
as \\uXXXX, so that a program reads the value unchanged.
"""

from __future__ import annotations

import contextlib
import json
import math
import sys
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, TextIO, TypeAlias, TypeVar

from rich.cells import cell_len
from rich.console import Console, Group
from rich.highlighter import JSONHighlighter
from rich.text import Text
from rich.tree import Tree as RichTree

from ci_callback.bar import NO_BAR, Bar
from ci_callback.command_language import localised


@dataclass(frozen=True)
class Styled:
    """A value in a style of Rich's, such as "bold red"."""

    value: object
    style: str


T = TypeVar("T")

Cell: TypeAlias = object
"""A value, a Styled, or a tuple of them. None is empty."""


@dataclass
class Tree:
    """A line, and the lines below it."""

    parts: Sequence[object]
    branches: list[Tree] = field(default_factory=list)

    def add(self, *parts: object) -> Tree:
        """Add a line below this one; the line, to add below it."""
        self.branches.append(Tree(parts))
        return self.branches[-1]


# --- characters ---------------------------------------------------------------------------


def visible(value: object) -> str:
    """A value on one line: each character that a terminal does not show is written as an escape.

    Those are control, format (bidi among them), private and unassigned characters, surrogates
    and line separators. Spaces such as U+3000 stay.
    """
    text = "" if value is None else str(value)
    return text if text.isprintable() else "".join(map(_visible, text))


def visible_lines(text: str) -> str:
    """As `visible`, but line breaks and tabs stay."""
    return "\n".join(
        "\t".join(visible(part) for part in line.split("\t")) for line in text.split("\n")
    )


def json_text(value: Any, indent: int | None = None) -> str:
    """JSON that decodes to the same value and holds no character that a terminal obeys.

    JSON has no NaN and no infinity: they become null. Names become texts.
    """
    text = json.dumps(_plain(value), ensure_ascii=False, indent=indent, default=str)
    return "\n".join(
        line if line.isprintable() else "".join(map(_escaped, line)) for line in text.split("\n")
    )


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(name): _plain(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _is_shown(character: str) -> bool:
    return character.isprintable() or unicodedata.category(character) == "Zs"


def _visible(character: str) -> str:
    return character if _is_shown(character) else ascii(character)[1:-1]


def _escaped(character: str) -> str:
    return character if _is_shown(character) else json.dumps(character)[1:-1]


# --- stdout -------------------------------------------------------------------------------


def say(*parts: object, sep: str = " ") -> None:
    """Print one line for people."""
    _stdout().print(_line(map(_localised, parts), sep))


def say_lines(text: str) -> None:
    """Print a text of several lines for people."""
    _stdout().print(Text(visible_lines(text)))


def say_tree(tree: Tree) -> None:
    """Print a tree."""
    _stdout().print(_branch(tree))


def say_json(value: Any) -> None:
    """Print JSON for people: indented, and coloured in a terminal."""
    text = Text(json_text(value, indent=2))
    JSONHighlighter().highlight(text)
    _stdout().print(text)


def print_json(value: Any) -> None:
    """Print JSON for a program: one line."""
    _write(sys.stdout, json_text(value) + "\n")


def print_body(body: bytes) -> None:
    """Print bytes as they are; in a terminal, as text without what the terminal would obey."""
    if sys.stdout.isatty():
        _write(sys.stdout, visible_lines(body.decode("utf-8", "backslashreplace")) + "\n")
        return
    sys.stdout.flush()
    sys.stdout.buffer.write(body + b"\n")
    sys.stdout.buffer.flush()


def print_line(text: str) -> None:
    """Print a line for a program. text: without what a terminal would obey."""
    _write(sys.stdout, text + "\n")


def is_terminal() -> bool:
    """Whether people read stdout."""
    return sys.stdout.isatty()


def text_width(value: object) -> int:
    """How many columns of a terminal a value takes: two for each Chinese character."""
    return cell_len(visible(value))


def width() -> int:
    """Columns of the terminal; without a terminal COLUMNS, else 80."""
    return _stdout().width


def can_show(sign: str) -> bool:
    """Whether stdout's encoding has a character."""
    try:
        sign.encode(_stdout().encoding)
    except UnicodeEncodeError:
        return False
    return True


# --- stderr -------------------------------------------------------------------------------


def complain(*parts: object) -> None:
    """Print one line about a fault, or about the work, to stderr."""
    line = _line(map(_localised, parts))
    if sys.stderr.isatty() and any(isinstance(part, Styled) for part in parts):
        Console(stderr=True, highlight=False, soft_wrap=True).print(line)
    else:
        _write(sys.stderr, line.plain + "\n")


def print_log(lines: str) -> None:
    """Print log lines to stderr as they were written, but for what a terminal would obey."""
    _write(sys.stderr, visible_lines(lines))


def progress(items: Sequence[T], description: str, is_shown: bool) -> Iterator[T]:
    """The items, with a progress bar on stderr while they are used; none where stderr is a pipe."""
    from rich.progress import Progress  # no command that is quick needs it

    is_hidden = not (is_shown and sys.stderr.isatty())
    with Progress(console=Console(stderr=True), transient=True, disable=is_hidden) as bar:
        yield from bar.track(items, description=localised(description))


@contextlib.contextmanager
def bar(description: str) -> Iterator[Bar]:
    """A progress bar on stderr for work whose size is found on the way; none where stderr is a
    pipe."""
    if not sys.stderr.isatty():
        yield NO_BAR
        return
    from rich.progress import MofNCompleteColumn, Progress  # as in `progress`

    columns = (*Progress.get_default_columns(), MofNCompleteColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as shown:
        task = shown.add_task(localised(description), total=None)
        yield Bar(lambda expected, done: shown.update(task, total=expected, completed=done))


# --- Rich ---------------------------------------------------------------------------------


def _stdout() -> Console:
    """Made for each print, since a test or a caller may replace sys.stdout."""
    return Console(highlight=False, markup=False, emoji=False, soft_wrap=True)


def _write(stream: TextIO, text: str) -> None:
    stream.write(text)
    stream.flush()


def _text(value: object) -> Text:
    if isinstance(value, Styled):
        return Text(visible(value.value), style=value.style)
    return Text(visible(value))


def folding(table: Any) -> Any:
    """A class of tables that break a run without blanks, such as a Chinese sentence, where its
    column ends. Typer's cut it off there."""

    def add_row(self: Any, *cells: Any, **more: Any) -> None:
        table.add_row(self, *cells, **more)
        for column in self.columns:
            column.overflow = "fold"

    return type("FoldingTable", (table,), {"add_row": add_row})


def stacked(items: Iterable[Any]) -> Group:
    """Items printed one below the other, each over the full width."""
    return Group(*items)


def _localised(part: object) -> object:
    """A part of a line in the reader's language: messages have Chinese, values do not."""
    if isinstance(part, Styled):
        return Styled(_localised(part.value), part.style)
    return localised(str(part)) if isinstance(part, (str, Exception)) else part


def _line(parts: Iterable[object], sep: str = " ") -> Text:
    return Text(sep).join(map(_text, parts))


def _branch(tree: Tree) -> RichTree:
    made = RichTree(_line(tree.parts))
    made.children.extend(map(_branch, tree.branches))
    return made
