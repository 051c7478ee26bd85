"""What the commands print: values are text, whatever they hold, and only terminal.py prints."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

import ci_callback
from ci_callback import terminal
from ci_callback.commands.registry import app
from ci_callback.terminal import Styled, Tree, visible, visible_lines

HOSTILE = (
    "[/b][link=https://evil.example]x[/link]:warning:\x1b]8;;e\x07\x9b31m\x9d\u202e\u2066\u2028\x7f"
)
SHOWN = (
    "[/b][link=https://evil.example]x[/link]:warning:"
    "\\x1b]8;;e\\x07\\x9b31m\\x9d\\u202e\\u2066\\u2028\\x7f"
)


def is_obeyed(character: str) -> bool:
    """Whether a terminal may obey a character in place of showing it."""
    return unicodedata.category(character)[0] == "C" or character in "\u2028\u2029"


@given(st.text())
def test_visible_text_holds_nothing_that_a_terminal_obeys(text: str) -> None:
    """Text without such characters is unchanged."""
    shown = visible(text)
    assert not any(map(is_obeyed, shown))
    if not any(map(is_obeyed, text)):
        assert shown == text


@given(st.text(st.characters(), max_size=20), st.sampled_from([None, 2]))
def test_json_decodes_to_the_value_and_holds_nothing_that_a_terminal_obeys(
    text: str, indent: int | None
) -> None:
    """As a value and as a name; surrogates too."""
    value = {text: [text, "\ud800", "\U000e0041"]}
    written = terminal.json_text(value, indent)
    assert json.loads(written) == value
    assert not any(is_obeyed(character) for character in written if character != "\n")


@given(st.text())
def test_visible_lines_keep_line_breaks_and_tabs(text: str) -> None:
    """Those and no other control characters."""
    shown = visible_lines(text)
    assert shown.count("\n") == text.count("\n")
    assert shown.count("\t") == text.count("\t")
    assert not any(is_obeyed(character) for character in shown if character not in "\n\t")


def test_chinese_is_shown_as_it_is() -> None:
    """Its full-width space included; None is empty."""
    assert visible("数据\u3000万象") == "数据\u3000万象"
    assert terminal.json_text("数据\u3000万象") == '"数据\u3000万象"'
    assert visible(None) == ""


def test_each_kind_of_print_shows_markup_and_control_characters_as_text(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lines, trees, JSON, errors, log lines."""
    monkeypatch.setenv("COLUMNS", "500")
    tree = Tree((HOSTILE,))
    tree.add(Styled(HOSTILE, "red"))
    terminal.say(HOSTILE, Styled(HOSTILE, "bold"))
    terminal.say_lines(HOSTILE)
    terminal.say_tree(tree)
    terminal.complain(HOSTILE)
    terminal.print_log(HOSTILE)
    written = capsys.readouterr()
    shown = written.out + written.err
    assert not any(is_obeyed(character) for character in shown if character != "\n")
    assert shown.replace("\n", "").count(SHOWN) == 7
    terminal.say_json(HOSTILE)
    terminal.print_json(HOSTILE)
    for line in capsys.readouterr().out.splitlines():
        assert json.loads(line) == HOSTILE
        assert not any(map(is_obeyed, line))


def test_a_usage_error_shows_the_argument_as_text(tmp_path: Path) -> None:
    """The one who types a name may have copied it from somewhere."""
    for arguments in (["invoke", f"/{HOSTILE}"], [HOSTILE], ["jobs", HOSTILE]):
        result = CliRunner().invoke(app, arguments)
        assert result.exit_code == 2
        frame = "─│╭╮╰╯\n"
        assert not any(
            is_obeyed(character) for character in result.stderr if character not in frame
        )


def test_output_that_the_encoding_can_not_hold_is_escaped(tmp_path: Path) -> None:
    """In a terminal or pipe that is not UTF-8, instead of a stack trace."""
    done = subprocess.run(
        [sys.executable, "-m", "ci_callback", "show", "数据"],
        env={"LEDGER_URL": f"file:{tmp_path}", "PYTHONIOENCODING": "ascii"}
        | {"PYTHONPATH": str(Path(ci_callback.__file__).parents[1])},
        cwd=tmp_path,
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (1, b"The ledger knows no job \\u6570\\u636e.\n")


# --- only terminal.py prints ---


ROOT = Path(ci_callback.__file__).parent

MODULES = sorted(path.relative_to(ROOT).as_posix() for path in ROOT.rglob("*.py"))


PRINTS = ("terminal.py", "late_bar.py")


@pytest.mark.parametrize("name", [module for module in MODULES if module not in PRINTS])
def test_no_other_module_prints(name: str) -> None:
    """None imports Rich, or calls print, echo, or what writes to a stream of sys."""
    for node in ast.walk(ast.parse((ROOT / name).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            assert not any(alias.name.split(".")[0] == "rich" for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert (node.module or "").split(".")[0] != "rich"
        elif isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            assert called not in ("print", "typer.echo", "typer.secho", "click.echo"), called
            assert "sys.stdout.write" not in called
            assert "sys.stderr.write" not in called
