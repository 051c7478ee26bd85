"""The command line speaks Chinese where its reader does: help and messages, and nothing else."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner, Result

from ci_callback import command_language, listing
from ci_callback.command_language import chinese, language, table
from ci_callback.commands import registry
from ci_callback.commands.registry import ROWS
from tests.ci_callback.command_messages import expectations, findings, messages
from tests.conftest import PAYLOADS

sweep_command = importlib.import_module("ci_callback.commands.sweep")
"""The module: its name in the package is the command's."""

PLACES = re.compile(r"\{\w*\}")

KEPT_IN_ENGLISH = frozenset(
    {
        # Names and values, with a word between them that reads alike in both languages.
        "answers  {0}",
        "cloud     {0}",
        "console   {0}",
        "deploy    LEDGER_URL={0} COS_REGION={1}",
        "deploy --logs",
        "function  {0}/",
        "ms       {0}",
        "strict    {0}",
        "timedatectl set-ntp true",
        "{0}  {1}  {2} bytes",
        "{0}  {1} ms  {2}{3}",
        "{0} deploy --to {1}",
        "{0} fields stay",
        "{0} in {1}",
        "{0} is {1}: {2}",
    }
)

KEPT_OF_FINDINGS = frozenset(
    {
        # Commands, and values with a word between them.
        "timedatectl set-ntp true",
        "unset COS_ENDPOINT",
        "{0} doctor --function NAME",
        "{0} doctor --send-test-alert",
        "{0} doctor --url https://…",
        "{0} this function",
        "{0}, at {1}{2}",
    }
)


def helps() -> Iterator[str]:
    """Each paragraph of every help, in English."""
    group: Any = typer.main.get_command(registry.app)
    texts = [text for row in ROWS for text in (row.summary, row.panel)]
    waiting = [group, *(group.loaded(row.name) for row in ROWS)]
    while waiting:
        command = waiting.pop()
        texts += [
            command.help or "",
            *(getattr(param, "help", "") or "" for param in command.params),
        ]
        if command is not group:
            waiting += getattr(command, "commands", {}).values()
    for text in texts:
        for paragraph in text.split("\n\n"):
            if paragraph:
                yield " ".join(paragraph.split("\n"))


def test_every_help_has_its_chinese() -> None:
    """Of commands, options and panels; ci_callback/texts/command_line.txt has them."""
    assert sorted({text for text in helps() if text not in table()}) == []


def test_every_message_has_its_chinese() -> None:
    """Whatever the commands print for people."""
    assert sorted(messages() - table().keys() - KEPT_IN_ENGLISH) == []
    assert messages() >= KEPT_IN_ENGLISH


def test_every_finding_of_doctor_has_its_chinese() -> None:
    """Its name and its status stay."""
    assert len(findings()) > 100
    assert sorted(findings() - table().keys() - KEPT_OF_FINDINGS) == []


def test_every_error_in_the_settings_has_its_chinese() -> None:
    """What was expected: by the text, or by a pattern with the bounds."""
    assert sorted(text for text in expectations() if chinese(text) == text) == []


def test_no_text_is_left_that_nothing_prints() -> None:
    """But for Typer's own, those of whole sections, and parts of other messages."""
    sections = command_language.FILE.read_text(encoding="utf-8").split("\n# --- ")
    others = [
        section
        for section in sections
        if section.startswith(("what Typer", "bars", "findings", "settings", "calls and"))
    ]
    known = {line for section in others for line in section.splitlines() if line[:1] != "\t"}
    parts = {
        "LEDGER_URL or --ledger names it; it is made when the first callback is stored.",
        "There are: {0}; name one with --ledger file:PATH.",
        "Settings and options are also read from the environment and from .env.",
        "{0} would name it",
        "CI        {0}",
        "last callback: {0}",
        "last sweep: {0}",
        "There are no events.",
        "a local simulator",
        "the real service",
        "{0} hours ago",
        "none of a job that was created today or yesterday",
        "is to call this function",
        "as it should be",
        "No such command {0}. Did you mean {1}?",
        "No such option: {0} Did you mean {1}?",
    }
    assert len(others) == 5
    assert sorted(table().keys() - set(helps()) - messages() - known - parts) == []


@pytest.mark.parametrize("english", table())
def test_both_languages_have_the_same_values(english: str) -> None:
    """Each {0} of a message once in both; and the Chinese is Chinese."""
    translation = table()[english]
    assert sorted(PLACES.findall(translation)) == sorted(PLACES.findall(english))
    assert re.search("[一-鿿]", translation)


def test_no_text_is_there_twice() -> None:
    """The later one would hide the earlier."""
    lines = command_language.FILE.read_text(encoding="utf-8").splitlines()
    english = [line for line in lines if line and not line.startswith(("\t", "# "))]
    assert len(english) == len(table())


@pytest.mark.parametrize(
    ("env", "expected"),
    [
        ({}, "en"),
        ({"LANG": "zh_CN.UTF-8"}, "zh"),
        ({"LANG": "en_US.UTF-8"}, "en"),
        ({"LC_ALL": "C", "LANG": "zh_CN.UTF-8"}, "en"),
        ({"LC_ALL": "", "LC_MESSAGES": "zh_CN", "LANG": "C"}, "zh"),
        ({"CI_CALLBACK_LANG": "en", "LANG": "zh_CN.UTF-8"}, "en"),
        ({"CI_CALLBACK_LANG": "zh", "LANG": "C"}, "zh"),
    ],
)
def test_the_variable_comes_before_the_locale(env: dict[str, str], expected: str) -> None:
    """CI_CALLBACK_LANG; then what the shell's locale says."""
    assert language(env) == expected


def test_a_message_keeps_its_values_and_its_margin() -> None:
    """Values are put where the Chinese has them, and translated where they are messages."""
    assert chinese("--since 2026-11-21 is after --until 2026-11-20") == (
        "--since 2026-11-21 晚于 --until 2026-11-20"
    )
    assert chinese("  not known: a queue") == "  未知：a queue"
    assert chinese("Invalid value for '--lang': --lang must be en or zh") == (
        "'--lang' 的取值无效：--lang 必须为 en 或 zh"
    )
    assert chinese("{0}") == "{0}"
    assert chinese("(its address stays)") == "（地址不变）"
    assert chinese("(1 of 2)") == "(1 of 2)"
    assert chinese("nothing that the table has") == "nothing that the table has"


@pytest.fixture
def in_chinese(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A reader who set the variable, in a folder without a ledger."""
    monkeypatch.setenv("CI_CALLBACK_LANG", "zh")
    monkeypatch.setenv("LEDGER_URL", f"file:{tmp_path}/ledger")


def run(*words: str) -> Result:
    """The command line."""
    return CliRunner().invoke(registry.app, list(words))


@pytest.mark.usefixtures("in_chinese")
def test_help_is_in_the_language_of_the_reader() -> None:
    """The list of commands, a command, and a usage error."""
    assert "列出记录，最新的在前" in run("--help").stdout
    shown = run("jobs", "--help").stdout
    assert "最多显示的记录数" in shown
    assert "Show at most" not in shown
    assert "显示此帮助并退出" in shown
    assert "默认值：50" in shown
    wrong = run("report", "--out", "x.html", "--lang", "fr")
    assert wrong.exit_code == 2
    assert "--lang 必须为 en 或 zh" in wrong.output


def test_help_is_english_again_for_the_next_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of one process, such as that of these tests."""
    monkeypatch.setenv("CI_CALLBACK_LANG", "zh")
    run("jobs", "--help")
    monkeypatch.setenv("CI_CALLBACK_LANG", "en")
    assert re.findall("[一-鿿]", run("jobs", "--help").stdout) == []


@pytest.mark.usefixtures("in_chinese")
def test_no_help_is_cut_off_in_a_terminal_of_80_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rich cuts a run without a blank that is wider than its column."""
    monkeypatch.setenv("COLUMNS", "80")
    for row in ROWS:
        shown = run(row.name, "--help").stdout
        cut = [line for line in shown.splitlines() if line.endswith("… │")]
        assert cut == [], row.name


@pytest.mark.usefixtures("in_chinese")
def test_a_fault_is_told_in_the_language_of_the_reader(tmp_path: Path) -> None:
    """With what there is in place of it."""
    missing = run("jobs")
    assert f"{tmp_path}/ledger 处没有台账。台账由 LEDGER_URL" in missing.output


@pytest.mark.usefixtures("in_chinese")
def test_json_columns_and_states_stay_english() -> None:
    """Programs read them."""
    run("invoke", str(PAYLOADS / "Translation.seed.xml"))
    names, values = run("jobs", "--header").stdout.splitlines()
    assert names.split("\t")[:2] == ["job", "created"]
    assert "succeeded" in values


@pytest.mark.parametrize(
    ("english", "expected"),
    [
        ("CI        a local simulator", "数据万象  本地模拟服务"),
        ("    fix: run `make bundle`", "    解决：请运行 `make bundle`"),
        (
            "fix: ALERT_URLS='https://…', the address that your robot shows; "
            "set it in the environment, and under environment.variables in serverless.yml",
            "解决：ALERT_URLS='https://…'，即机器人给出的地址；"
            "请在环境变量和 serverless.yml 的 environment.variables 中设置",
        ),
        ("Got unexpected extra argument(s) (x)", "多余的参数（x）"),
        ("127.0.0.1: no connection: refused", "127.0.0.1：连接被拒绝"),
        (
            "last callback: none of a job that was created today or yesterday",
            "最近的回调：没有今天或昨天创建的任务的回调",
        ),
    ],
)
def test_a_value_that_is_a_sentence_is_chinese_too(english: str, expected: str) -> None:
    assert chinese(english) == expected


PROSE = re.compile(r"(?<![\w.`/'-])[A-Za-z]?[a-z]+(?: [a-z]{2,}){2,}(?![\w(=-])")
"""Three words in a row: a sentence of English, and no name or state."""

NAMES = re.compile(
    r"<(?:int|float) range>|python -m ci_callback(?: [a-z-]+)*|root(?: [a-z-]+)*"
    r"|(?:ok|skipped|warning|fault) +(?:[a-z]+ )+"
)
"""The command as it was called, Typer's types of numbers, and the names of doctor's findings."""

WRONG = (
    "nope",
    "--nope",
    "jobs --limt 3",
    "jobs --limit x",
    "jobs --limit 0",
    "jobs --limit",
    "jobs extra",
    "jobs --since foo",
    "jobs --columns x",
    "jobs --tag Nope",
    "jobs --failed --outcome succeeded",
    "jobs --since 2026-11-21 --until 2026-11-20",
    "show",
    "show X --part foo",
    "sample",
    "sample Nope",
    "sample Transcod",
    "sample Transcode --state Nope",
    "sample Transcode --set x",
    "sample Transcode --set Input.Object.x=4",
    "sample Transcode --set 1x=4",
    "sample Transcode --format yaml",
    "sample Transcode --simple",
    "sample ReviewImage --format xml",
    "sample ReviewImage --workflow",
    "send",
    "send Transcode --to foo",
    "send Transcode --repeat 0",
    "send Transcode --to http://127.0.0.1:1/",
    "serve --ci x",
    "serve --host 8.8.8.8",
    "serve --port 99999",
    "invoke /nonexistent",
    "report",
    "query",
    "cost --set a",
    "cost --set foo=1",
    "cost --failed 3",
    "compact",
    "compact --date x",
    "reconcile",
    "replay",
    "replay --from-log README.md",
    "purge",
    "purge nope",
    "listen --forward-to x",
    "dead nope",
    "dead show zzz",
    "events send nope",
    "deploy nope",
    "deploy --to http://192.0.2.1:90",
    "--ledger nope jobs",
    "--ledger cos://bad jobs",
    "--ledger cos://b-1250000000/x jobs",
)
"""A wrong use of each kind."""

ON_EMPTY = (
    "jobs",
    "retries",
    "retries --made",
    "events",
    "dead list",
    "doctor",
    "sweep --dry-run",
    "sweep",
    "compact --since 7d",
    "cost --callbacks 1e6 --failed 2% --destinations 2",
)

ON_FULL = (
    "jobs",
    "show d4e431ba0127f86711ecb8546d80f2b00",
    "show j4e431bafaf86711ecb8546d80f2b99999",
    "retries",
    "dead list",
    "sweep --dry-run",
    "events",
    "doctor",
    "report --out page.html",
)


def prose(words: str) -> list[str]:
    """The lines with English prose that a command prints. The record itself is left out."""
    shown = NAMES.sub("", run(*words.split()).output)
    lines = [line for line in shown.splitlines() if not line.lstrip().startswith(('"', "<"))]
    return [line for line in lines if PROSE.search(line)]


@pytest.fixture
def at_a_terminal(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, in_chinese: None) -> None:
    """Of a width in which nothing is wrapped."""
    monkeypatch.setenv("COLUMNS", "300")
    monkeypatch.setattr(listing, "is_terminal", lambda: True)
    monkeypatch.setattr(sweep_command, "is_terminal", lambda: True)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "README.md").write_text("no log\n")


@pytest.mark.usefixtures("at_a_terminal")
@pytest.mark.parametrize("words", WRONG)
def test_a_wrong_use_is_answered_in_chinese(words: str) -> None:
    """With a status that is not 0, and with Chinese."""
    result = run(*words.split())
    assert result.exit_code != 0
    assert re.search("[一-鿿]", result.output)
    assert prose(words) == []
    assert "Usage:" not in result.output


@pytest.mark.usefixtures("at_a_terminal")
@pytest.mark.parametrize("words", [row.name for row in ROWS])
def test_a_help_holds_no_english(words: str) -> None:
    """Nor do those of the commands below it."""
    command: Any = typer.main.get_command(registry.app)
    below = getattr(command.loaded(words), "commands", {})
    for name in ("", *below):
        shown = f"{words} {name} --help"
        assert prose(shown) == []
        assert "Usage:" not in run(*shown.split()).output


@pytest.mark.usefixtures("at_a_terminal")
@pytest.mark.parametrize("words", ON_EMPTY)
def test_an_empty_ledger_is_shown_in_chinese(tmp_path: Path, words: str) -> None:
    """What is not there, and what there is to do."""
    (tmp_path / "ledger").mkdir()
    assert prose(words) == []


@pytest.mark.usefixtures("at_a_terminal")
def test_a_full_ledger_is_shown_in_chinese() -> None:
    """By whatever reads it; a record's message and a ticket's note are CI's and the function's."""
    assert "个回调" in run("invoke", str(PAYLOADS)).output
    theirs = re.compile("another end is kept already|Failed to download the source file")
    found = {words: [line for line in prose(words) if not theirs.search(line)] for words in ON_FULL}
    assert found == {words: [] for words in ON_FULL}
