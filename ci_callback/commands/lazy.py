"""Commands that are imported when they are called, not when they are listed.

The tool's own code takes most of the time in which `--help` starts (docs/decisions.md, "The
command line"). So the list of commands, and the shell's completion, are made of rows: a command's
name, its panel and its summary. The module of a command is imported once the command line names it.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import os
from collections.abc import Iterator
from typing import Any, ClassVar, NamedTuple

import typer
from typer.core import TyperCommand, TyperGroup

from ci_callback.command_language import chinese, language
from ci_callback.program import PROGRAM
from ci_callback.terminal import folding, stacked, visible_lines
from ci_callback.usage_errors import in_our_words


class Row(NamedTuple):
    """A command in the list. Its module is `ci_callback.commands.NAME`, and there it is the
    function NAME, or the Typer instance `app` where it has commands of its own.

    summary: the first paragraph of its help. example: its arguments in the example of its help;
    "" where its module has the examples of its own commands.
    """

    name: str
    panel: str
    summary: str
    example: str


class LazyCommands(TyperGroup):
    """The commands of some rows, in their order.

    Typer does not export the types of the arguments.
    """

    rows: ClassVar[tuple[Row, ...]] = ()

    def __init__(self, **more: Any) -> None:
        super().__init__(**more)
        self.commands = {row.name: _listed(row) for row in self.rows}
        lang = language(os.environ)
        _use_typers_words(lang)
        if lang == "zh":
            _say_in_chinese(self)

    def loaded(self, name: str) -> Any:
        """A command of the list, imported.

        Raises:
            KeyError: there is no such command.
        """
        return _loaded({row.name: row for row in self.rows}[name])

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command that the arguments begin with, imported: to be run, or to be completed."""
        with _visible_errors():
            name, command, rest = super().resolve_command(ctx, args)
            return name, command if name is None else self.loaded(name), rest

    def make_context(self, *args: Any, **more: Any) -> Any:
        """Typer prints usage errors, which quote arguments: they are text as well."""
        with _visible_errors():
            return super().make_context(*args, **more)

    def invoke(self, *args: Any) -> Any:
        """As `make_context`."""
        with _visible_errors():
            return super().invoke(*args)


@contextlib.contextmanager
def _visible_errors() -> Iterator[None]:
    try:
        yield
    except typer.TyperException as error:
        error.message = visible_lines(in_our_words(error.message))
        if language(os.environ) == "zh":
            text = chinese(error.format_message())
            # Typer prints what this returns; its own puts English words around the message.
            vars(error)["format_message"] = lambda: text
        raise


def _listed(row: Row) -> Any:
    """A command that can be listed and not be run."""
    return TyperCommand(row.name, help=row.summary, rich_help_panel=row.panel)


def _loaded(row: Row) -> Any:
    lang = language(os.environ)
    _use_typers_words(lang)
    return _made(row, lang)


@functools.cache
def _made(row: Row, lang: str) -> Any:
    """A process that runs many commands makes each of them once: that takes as long as a short
    command itself."""
    module = importlib.import_module(f"ci_callback.commands.{row.name}")
    # With a callback Typer makes a group of one command too.
    around = typer.Typer(add_completion=False, callback=lambda: None)
    if hasattr(module, "app"):
        around.add_typer(module.app, name=row.name, rich_help_panel=row.panel)
    else:
        around.command(row.name, rich_help_panel=row.panel)(getattr(module, row.name))
    group = typer.main.get_command(around)
    if not isinstance(group, TyperGroup):
        raise TypeError(f"Typer made no group of {row.name}")
    command = group.commands[row.name]
    if row.example:
        command.epilog = f"Example: {PROGRAM} {row.example}"
    if lang == "zh":
        _say_in_chinese(command)
    return command


TYPERS_WORDS = (
    "ARGUMENTS_PANEL_TITLE",
    "OPTIONS_PANEL_TITLE",
    "COMMANDS_PANEL_TITLE",
    "ERRORS_PANEL_TITLE",
    "DEFAULT_STRING",
    "ENVVAR_STRING",
    "REQUIRED_LONG_STRING",
    "ABORTED_TEXT",
    "RICH_HELP",
)
"""Texts of typer.rich_utils, which Typer itself prints around ours."""

_typers_own: dict[str, Any] = {}


def _use_typers_words(lang: str) -> None:
    """Print Typer's own texts in the reader's language."""
    if lang == "zh" or _typers_own:
        from typer import rich_utils  # it imports Rich, which no completion needs

        for name in (*TYPERS_WORDS, "Columns", "Table"):
            _typers_own.setdefault(name, getattr(rich_utils, name))
        ours: dict[str, Any] = {name: chinese(_typers_own[name]) for name in TYPERS_WORDS}
        ours |= {"Columns": stacked, "Table": folding(_typers_own["Table"])}
        for name, value in (ours if lang == "zh" else _typers_own).items():
            setattr(rich_utils, name, value)


def _say_in_chinese(command: Any) -> None:
    """Help, summary and example of a command, of its options, and of the commands below it."""
    for name in ("help", "short_help", "epilog", "rich_help_panel"):
        text = getattr(command, name, None)
        if isinstance(text, str):
            setattr(command, name, chinese(text))
    for param in command.params:
        if getattr(param, "help", None):
            param.help = chinese(param.help)
    english_option = command.get_help_option

    def help_option(ctx: Any) -> Any:
        option = english_option(ctx)
        if option is not None:
            option.help = chinese(option.help)
        return option

    english_usage = command.get_usage

    def usage(ctx: Any) -> str:
        return str(english_usage(ctx)).replace("Usage:", chinese("Usage:"), 1)

    vars(command)["get_help_option"] = help_option  # --help is made when it is asked for
    vars(command)["get_usage"] = usage
    for below in getattr(command, "commands", {}).values():
        _say_in_chinese(below)
