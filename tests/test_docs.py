"""The documents say what the code does: names, tables and links in them are looked up."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest

from ci_callback import record_schema as schema
from handler.alerts import channels
from handler.alerts.services import SERVICES
from handler.alerts.texts import KINDS, Lang
from handler.callback.catalogue import TAGS
from handler.ingest.callbacks import LEVELS
from handler.log import BODY_PART, BODY_TRUNCATED
from handler.settings.rows import ROWS
from handler.triggers import JobResult, Status, http
from tests.golden.record_page import chinese, page
from tests.golden.write import PAGES as RECORD_PAGES

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])

LOGGED = re.compile(
    r"(?:\.(?:info|warning|error|failure)|\bwrite|\bwrite\.get\([^)]*\)|self\._write)\(\s*\"([a-z_]+)\""
)


def text(name: str) -> str:
    """A page."""
    return (ROOT / name).read_text(encoding="utf-8")


def rows(page_text: str, head: str) -> list[list[str]]:
    """The cells of the rows below a table's head line."""
    lines = page_text.split(f"| {head} |", 1)[1].splitlines()[2:]
    table = []
    for line in lines:
        if not line.startswith("|"):
            break
        table.append([cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]])
    return table


def names(cell: str) -> list[str]:
    """What stands in back quotes."""
    return re.findall(r"`([^`]+)`", cell)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("README.md", "typed for {} tags"),
        ("README.zh.md", "{} 种 Tag"),
        ("CHANGELOG.md", "typed for {} tags"),
    ],
)
def test_the_number_of_tags_is_the_catalogues(name: str, words: str) -> None:
    """A row that is added is counted."""
    assert words.format(len(TAGS)) in text(name)


@pytest.mark.parametrize("path", RECORD_PAGES, ids=str)
def test_the_page_on_the_record_is_generated_from_the_schema(path: Path) -> None:
    """python -m tests.golden.write generates it."""
    words = RECORD_PAGES[path]
    assert path.read_text(encoding="utf-8") == page(schema.build(), TAGS.values(), words)


def test_every_description_of_the_schema_has_its_chinese_and_no_other() -> None:
    """tests/golden/record_zh.txt has them."""

    def descriptions(node: Any) -> Iterator[str]:
        if isinstance(node, dict):
            if isinstance(node.get("description"), str):
                yield node["description"]
            node = list(node.values())
        if isinstance(node, list):
            for child in node:
                yield from descriptions(child)

    wanted = set(descriptions(schema.build()))
    assert chinese().keys() - wanted == set()
    assert wanted - chinese().keys() == set()


@pytest.mark.parametrize(
    ("document", "head", "lang"),
    [
        ("docs/operate.md", "kind | in the digest | what it means | what to do", "en"),
        ("docs/zh/operate.md", "类型 | 摘要中的名称 | 含义 | 处理", "zh"),
    ],
)
def test_every_kind_of_alert_has_its_row_and_no_other(document: str, head: str, lang: Lang) -> None:
    """Whoever is paged looks there, by the name that the digest shows."""
    named = {names(row[0])[0]: row[1] for row in rows(text(document), head)}
    assert named == {name: kind.texts(lang)[0] for name, kind in KINDS.items()}


def test_every_log_line_has_its_row_and_no_other() -> None:
    """Those of the function: the command line's own are for who runs it."""
    named = [
        name
        for row in rows(text("docs/operate.md"), "event | level | what it says")
        for name in names(row[0])
    ]
    sources = (ROOT / "handler").rglob("*.py")
    logged = {name for path in sources for name in LOGGED.findall(path.read_text(encoding="utf-8"))}
    logged |= {BODY_PART, BODY_TRUNCATED}
    assert sorted(named) == sorted(logged)


@pytest.mark.parametrize("name", ["README.md"])
def test_every_setting_has_its_row(name: str) -> None:
    """Whatever Settings.from_env reads."""
    named = {
        setting
        for row in rows(text(name), "variable | meaning | default")
        for setting in names(row[0])
    }
    assert {row.variable for row in ROWS} == named


def test_every_place_of_the_architecture_page_is_there() -> None:
    """Its table of where to look is how a newcomer finds the file."""
    places = [
        path for row in rows(text("docs/architecture.md"), "to | open") for path in names(row[1])
    ]
    paths = [path for path in places if "/" in path]
    assert len(paths) > 20
    assert [path for path in paths if not (ROOT / path).exists()] == []


def undocumented_services() -> list[str]:
    """The alert services that the README's row of ALERT_URLS does not name, or the docstring of
    channels.py does not show an address of."""
    shown = {"webhook": "any other http(s) address"}
    row = next(line for line in text("README.md").splitlines() if line.startswith("| `ALERT_URLS`"))
    places = [row.casefold(), str(channels.__doc__).casefold()]
    return [
        name
        for name in SERVICES
        if not all(shown.get(name, name).casefold() in place for place in places)
    ]


def test_every_alert_service_is_documented() -> None:
    """Where an operator looks for the address to set."""
    assert undocumented_services() == []


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_every_link_leads_somewhere(path: Path) -> None:
    """Those within the project."""
    for target in re.findall(r"\]\(([^)\s]+)\)", path.read_text(encoding="utf-8")):
        if not target.startswith(("https://", "http://", "#")):
            assert (path.parent / target.partition("#")[0]).exists(), target


def anchors(path: Path) -> set[str]:
    """The anchors of a page's headings, as the usual renderers make them."""
    page = re.sub(r"^```.*?^```", "", path.read_text(encoding="utf-8"), flags=re.M | re.S)
    titles = re.findall(r"^#+ (.*)$", page, re.M)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_every_anchor_leads_to_a_heading(path: Path) -> None:
    """Of this page, or of the one that is linked."""
    for target in re.findall(r"\]\(([^)\s]+)\)", path.read_text(encoding="utf-8")):
        name, _, anchor = target.partition("#")
        if anchor and "://" not in target and (not name or name.endswith(".md")):
            page = path.parent / name if name else path
            assert anchor in anchors(page), target


def test_every_status_of_a_job_has_its_row_with_its_level_and_its_answer() -> None:
    """Whoever sets an alarm, or reads an answer, looks there."""
    statuses = rows(text("docs/operate.md"), "status | level | HTTP status | what it says")
    named = {names(row[0])[0]: (row[1], int(row[2])) for row in statuses}
    assert named == {
        status: (level, http.answer([JobResult(status)])["statusCode"])
        for status, level in LEVELS.items()
    }
    assert set(named) == set(get_args(Status))


def test_the_policy_of_the_deployment_page_is_the_policy() -> None:
    """It names the statements of docs/cam-policy.json."""
    policy = json.loads(text("docs/cam-policy.json"))
    named = text("docs/deploy.md")
    for statement in policy["statement"]:
        families = {re.sub(r"^name/", "", action) for action in statement["action"]}
        for action in families:
            service, _, verb = action.partition(":")
            stem = re.match(r"[A-Z][a-z]+", verb)
            assert stem is not None
            assert action in named or f"{service}:{stem[0]}…" in named or f"`{verb}`" in named, (
                action
            )


# --- the name of the command ---


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_documents_call_the_command_by_the_name_that_works_everywhere(path: Path) -> None:
    """`python -m ci_callback`: in a clone, and installed. The shell's completion comes only with
    the installed command."""
    calls = re.findall(
        r"(?<!--function )\bci-callback (?:--)?[a-z][a-z-]*", path.read_text(encoding="utf-8")
    )
    assert set(calls) <= {"ci-callback --install-completion"}


def test_alerts_call_the_command_by_its_installed_name() -> None:
    """The function can't know how the tool is called."""
    advice = " ".join(f"{kind.en_next} {kind.zh_next}" for kind in KINDS.values())
    assert "python -m" not in advice
    assert "`ci-callback doctor`" in advice
