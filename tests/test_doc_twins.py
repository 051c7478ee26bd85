"""Each page for users is there in English and in Chinese, and the two are in step: headings,
commands, blocks of code, tables, settings and links."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ci_callback.command_language import chinese as in_chinese
from handler.settings.rows import ROWS

ROOT = Path(__file__).parents[1]
ENGLISH = (
    "README.md",
    "docs/business-logic.md",
    "docs/costs.md",
    "docs/deploy.md",
    "docs/events.md",
    "docs/operate.md",
    "docs/queries.md",
    "docs/record.md",
    "docs/tutorial.md",
)
"""The pages for users. Those for engineers (architecture, protocol, decisions, …) are in English
only."""

VARIABLES = {row.variable for row in ROWS}
CHINESE = "[一-鿿]"
PICTURE_BYTES = 150_000


def chinese(name: str) -> str:
    """The path of a page's twin."""
    if name == "README.md":
        return "README.zh.md"
    return name.replace("docs/", "docs/zh/")


TWINS = [(name, chinese(name)) for name in ENGLISH]
twins = pytest.mark.parametrize(("english", "twin"), TWINS, ids=ENGLISH)


def text(name: str) -> str:
    """A page."""
    return (ROOT / name).read_text(encoding="utf-8")


def fenced(page: str) -> list[str]:
    """The blocks of code, without their comments."""
    blocks = re.findall(r"^```(.*?)^```", page, re.MULTILINE | re.DOTALL)
    return [re.sub(r"\s*(?:#|--) .*$", "", block, flags=re.MULTILINE) for block in blocks]


def prose(name: str) -> str:
    """A page without its blocks of code."""
    return re.sub(r"^```.*?^```", "", text(name), flags=re.MULTILINE | re.DOTALL)


def commands(name: str) -> list[str]:
    """The indented lines, without their comments."""
    lines = re.findall(r"^ {4,}(\S.*)$", prose(name), re.MULTILINE)
    return [re.sub(r"\s+#\s.*$", "", line) for line in lines]


def table_rows(name: str) -> list[list[str]]:
    """The rows of all tables, as cells."""
    lines = [line for line in prose(name).splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]


def links(name: str) -> set[str]:
    """The pages and files that a page leads to: of a page that has a twin, its English name."""
    found = set()
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(name)):
        path = target.partition("#")[0]
        if path and "://" not in path:
            place = str((ROOT / name).parent.joinpath(path).resolve().relative_to(ROOT))
            place = place.replace(".zh.png", ".en.png").replace("docs/zh/flow.svg", "docs/flow.svg")
            found.add({twin: page for page, twin in TWINS}.get(place, place))
        else:
            found.add(target if "://" in target else "")
    return found - {""}


@twins
def test_the_twins_have_the_same_headings(english: str, twin: str) -> None:
    """As many, of the same ranks, in the same order."""

    def ranks(name: str) -> list[str]:
        return re.findall(r"^#+(?= )", prose(name), re.MULTILINE)

    assert ranks(twin) == ranks(english)


def printed(line: str) -> str:
    """What the command line prints in Chinese where it prints this line in English; a command, and
    a name or a value in a line of output, as it is."""
    return "".join(in_chinese(part) for part in re.split(r"( {2,}|(?<=\w): (?! ))", line))


@twins
def test_the_twins_show_the_same_commands(english: str, twin: str) -> None:
    """In the same order, and the Chinese page what they print in Chinese."""
    assert commands(twin) == [printed(line) for line in commands(english)]


@twins
def test_the_twins_show_the_same_code(english: str, twin: str) -> None:
    """Comments aside."""
    assert fenced(text(twin)) == fenced(text(english))


@twins
def test_the_tables_of_the_twins_have_the_same_rows(english: str, twin: str) -> None:
    """Row by row as many cells, the same names in the first one, and the same names in the row."""

    def names(cells: list[str]) -> list[str]:
        return re.findall(r"`[^`]+`", " ".join(cells))

    rows, other = table_rows(english), table_rows(twin)
    assert [sorted(names(row[:1])) for row in other] == [sorted(names(row[:1])) for row in rows]
    assert [len(row) for row in other] == [len(row) for row in rows]
    assert [sorted(set(names(row))) for row in other] == [sorted(set(names(row))) for row in rows]


@twins
def test_the_twins_name_the_same_settings(english: str, twin: str) -> None:
    """All of those that a page names."""

    def settings(name: str) -> set[str]:
        return VARIABLES & set(re.findall(r"[A-Z][A-Z_]+", text(name)))

    assert settings(twin) == settings(english)


@twins
def test_the_twins_lead_to_the_same_pages(english: str, twin: str) -> None:
    """A page that has a twin is linked in the language of the reader."""
    assert links(twin) == links(english)
    targets = re.findall(r"\]\(([^)\s#]+)", prose(twin))
    places = {str((ROOT / twin).parent.joinpath(target).resolve()) for target in targets}
    in_english = {str(ROOT / name) for name, _ in TWINS if name != english}
    assert places & in_english == set()


@twins
def test_the_twins_lead_to_each_other(english: str, twin: str) -> None:
    """By their first link."""

    def first(name: str) -> str:
        target = re.findall(r"\]\(([^)\s]+)\)", text(name))[0]
        return str((ROOT / name).parent.joinpath(target).resolve().relative_to(ROOT))

    assert first(english) == twin
    assert first(twin) == english


@twins
def test_the_chinese_page_is_set_as_chinese(english: str, twin: str) -> None:
    """A paragraph is one line, since a line break becomes a blank between characters; punctuation
    between Chinese characters is full-width."""
    page = re.sub(r"`[^`\n]*`", "``", prose(twin))
    assert re.findall(f".{{8}}[一-鿿，。；：、]\n *{CHINESE}.*", page) == []
    assert re.findall(f"{CHINESE}[,;:?!]|[,;:?!]{CHINESE}", page) == []


def test_the_pictures_are_small_and_in_both_languages() -> None:
    """`make pictures` makes them."""
    pictures = sorted((ROOT / "docs/pictures").glob("*.png"))
    names = {path.name.split(".")[0] for path in pictures}
    assert [path.name for path in pictures] == sorted(
        f"{name}.{lang}.png" for name in names for lang in ("en", "zh")
    )
    assert [path.name for path in pictures if path.stat().st_size > PICTURE_BYTES] == []
    pages = "".join(text(name) for pair in TWINS for name in pair)
    assert [path.name for path in pictures if f"pictures/{path.name}" not in pages] == []
