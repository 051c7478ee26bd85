"""Ledgers by name, so that `--ledger production` means one thing, and is seen before it is written.

    [production]
    url = cos://records-1250000000/ci
    region = ap-guangzhou
    colour = red
    read-only = yes

A file `ci-callback.ini` in the folder where a command runs; below it, for what it does not name,
`ledgers.ini` in the user's configuration folder (~/.config/ci-callback on Linux). The format is
that of ~/.aws/config and rclone.conf: Python 3.10 reads no TOML. Credentials stay in the
environment; a key such as secret_id is an error.

A ledger that is called by its address has the name and the colour too, and its read-only flag
counts: `.env` may name production.
"""

from __future__ import annotations

import configparser
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import typer

from ci_callback.program import LEDGER_NAME
from handler.errors import Problem, SettingsError
from handler.settings import StoreUrl
from handler.settings.readers import region as region_of
from handler.settings.readers import store_url

Colour = Literal["red", "yellow", "green", "blue", "magenta", "cyan"]
COLOURS: tuple[str, ...] = get_args(Colour)
KEYS = ("url", "region", "colour", "read-only")
IN_PROJECT = "ci-callback.ini"


@dataclass(frozen=True)
class NamedLedger:
    """A ledger of a file. text: its address as the file has it."""

    name: str
    text: str
    url: StoreUrl
    region: str | None
    colour: str
    is_read_only: bool
    file: Path


def files() -> tuple[Path, ...]:
    """Where ledgers are named, the file that counts first at first."""
    return (Path(IN_PROJECT), Path(typer.get_app_dir("ci-callback")) / "ledgers.ini")


def named_ledgers(paths: Iterable[Path] | None = None) -> dict[str, NamedLedger]:
    """All ledgers that have a name.

    Raises:
        SettingsError: a file says what it can't say.
    """
    found: dict[str, NamedLedger] = {}
    for path in files() if paths is None else paths:
        for name, ledger in _of_file(path).items():
            found.setdefault(name, ledger)
    return found


def is_address(text: str) -> bool:
    """Whether --ledger is given an address and not a name."""
    return ":" in text


def by_name(name: str) -> NamedLedger:
    """The ledger of a name.

    Raises:
        typer.BadParameter: no ledger has that name; the message lists the names that exist.
        SettingsError
    """
    ledgers = named_ledgers()
    if name in ledgers:
        return ledgers[name]
    where = " or ".join(map(str, files()))
    known = f"there are {', '.join(sorted(ledgers))}" if ledgers else f"{where} would name it"
    raise typer.BadParameter(
        f"no ledger is named {name!r}: {known}. An address is cos://bucket-appid/prefix or "
        "file:./path",
        param_hint="--ledger",
    )


def known_as(url: StoreUrl, env: Mapping[str, str] = os.environ) -> NamedLedger | None:
    """The named ledger at an address: the one that was chosen, else one that is read-only, else one
    that is read-only and that the address lies inside of.

    Raises:
        SettingsError
    """
    place, all_named = _place(url), named_ledgers().values()
    same = [ledger for ledger in all_named if _place(ledger.url) == place]
    same.sort(key=lambda ledger: (ledger.name != env.get(LEDGER_NAME), not ledger.is_read_only))
    around = [
        ledger
        for ledger in all_named
        if ledger.is_read_only and place[: len(outer := _place(ledger.url))] == outer
    ]
    if around and not any(ledger.is_read_only for ledger in same):
        return around[0]
    return same[0] if same else None


def _place(url: StoreUrl) -> tuple[str, ...]:
    """The names from the outermost on: what lies inside of a ledger begins as the ledger does."""
    if url.scheme == "cos":
        return (url.scheme, url.bucket, *filter(None, url.prefix.split("/")))
    # Path.resolve would raise where links go round in a circle.
    return (url.scheme, *Path(os.path.realpath(url.folder)).parts)


def _of_file(path: Path) -> dict[str, NamedLedger]:
    parser = configparser.ConfigParser(interpolation=None, default_section="")
    try:
        text = path.read_text(encoding="utf-8-sig")  # Notepad writes a mark first
        parser.read_string(text)
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        raise SettingsError([Problem(str(path), error.strerror or "", "a file")]) from error
    except (UnicodeDecodeError, configparser.Error) as error:
        what = f"{type(error).__name__}{_line_of(error)}"
        raise SettingsError([Problem(str(path), what, "sections of key = value lines")]) from error
    problems: list[Problem] = []
    ledgers = {
        name: ledger
        for name in parser.sections()
        if (ledger := _ledger(path, parser[name], problems)) is not None
    }
    if problems:
        raise SettingsError(problems)
    return ledgers


def _line_of(error: Exception) -> str:
    """Never the line itself: it may hold a secret that is in the wrong file."""
    lines: Sequence[tuple[int, str]] = getattr(error, "errors", ())
    number = getattr(error, "lineno", None) or next((line[0] for line in lines), None)
    return f" in line {number}" if number else ""


def _ledger(
    path: Path, section: configparser.SectionProxy, problems: list[Problem]
) -> NamedLedger | None:
    def problem(key: str, found: str, expected: str) -> None:
        problems.append(Problem(f"{path} [{section.name}] {key}", found, expected))

    for key in section:
        if key not in KEYS:
            problem(key, "a key", f"{', '.join(KEYS)}; credentials stay in the environment")
    text, region = section.get("url", ""), section.get("region")
    colour, before = section.get("colour", ""), len(problems)
    try:
        url = store_url(text)
    except ValueError:
        problem("url", "no such address", "cos://bucket-appid/prefix or file:./path")
        return None
    try:
        region = region and region_of(region)
    except ValueError:
        problem("region", "no such region", "a region such as ap-guangzhou")
    if colour not in ("", *COLOURS):
        problem("colour", "no such colour", f"one of {', '.join(COLOURS)}")
    try:
        is_read_only = section.getboolean("read-only", fallback=False)
    except ValueError:
        problem("read-only", "another word", "yes or no")
        return None
    if is_address(section.name):
        problem("", "a name with a colon", "a name such as production")
    if len(problems) > before:
        return None
    return NamedLedger(section.name, text, url, region or None, colour, is_read_only, path)
