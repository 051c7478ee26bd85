"""named_ledgers.py: `--ledger production`, its colour, and that each writer refuses read-only."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ci_callback import terminal
from ci_callback.commands.registry import app, ledger_names
from ci_callback.named_ledgers import by_name, known_as, named_ledgers
from ci_callback.writing import ReadOnly, ReadOnlyError, shown_ledger
from handler.errors import SettingsError
from handler.ledger.folder import FolderStore
from handler.settings.readers import store_url
from tests.fake_cos import FakeCos
from tests.records import keep, record

PAYLOAD = str(Path(__file__).parents[1] / "payloads" / "Translation.seed.xml")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a project whose file names two ledgers, and the user's own, which names two."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "400")
    monkeypatch.setenv("LEDGER_URL", "file:./other")
    (tmp_path / "ci-callback.ini").write_text(
        "[staging]\nurl = file:./staging\ncolour = green\n"
        "[production]\nurl = file:./production\ncolour = red\nread-only = yes\n"
    )
    own = tmp_path / "configuration" / "ci-callback"
    own.mkdir(parents=True)
    (own / "ledgers.ini").write_text(
        "[mine]\nurl = cos://records-1250000000/ci\nregion = ap-beijing\n"
        "[staging]\nurl = file:./elsewhere\n"
    )
    keep(FolderStore(tmp_path / "production"), record("p1"))
    keep(FolderStore(tmp_path / "staging"), record("s1"))
    keep(FolderStore(tmp_path / "other"), record("o1"))
    return tmp_path


def run(*arguments: str) -> tuple[int, str, str]:
    """Exit status, stdout and stderr on one line."""
    result = CliRunner().invoke(app, list(arguments))
    return result.exit_code, result.stdout, " ".join(result.stderr.replace("│", " ").split())


def test_a_name_stands_for_an_address(project: Path) -> None:
    """On the command line and in LEDGER_URL; an address is one still."""
    assert run("--ledger", "staging", "jobs", "--columns", "job")[1] == "s1\n"
    assert run("--ledger", "production", "jobs", "--columns", "job")[1] == "p1\n"
    assert run("--ledger", "file:./other", "jobs", "--columns", "job")[1] == "o1\n"


def test_a_name_may_stand_in_the_environment(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As `.env` has it."""
    monkeypatch.setenv("LEDGER_URL", "staging")
    assert run("jobs", "--columns", "job")[1] == "s1\n"


def test_the_projects_file_goes_before_the_users_own(project: Path) -> None:
    """Of the user's own, what the project does not name."""
    assert {name: ledger.text for name, ledger in named_ledgers().items()} == {
        "staging": "file:./staging",
        "production": "file:./production",
        "mine": "cos://records-1250000000/ci",
    }
    assert by_name("mine").region == "ap-beijing"
    assert ledger_names("s") == ["staging"]


def test_a_region_of_the_command_line_goes_before_the_files(
    project: Path, cos: FakeCos, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And the file's before that of the environment."""
    for name, value in cos.env.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("COS_REGION", "ap-shanghai")
    (project / "ci-callback.ini").write_text(
        f"[mine]\nurl = {cos.env['LEDGER_URL']}\nregion = ap-beijing\n"
    )
    assert run("--ledger", "mine", "jobs")[0] == 0
    assert os.environ["COS_REGION"] == "ap-beijing"
    assert run("--region", "ap-tokyo", "--ledger", "mine", "jobs")[0] == 0
    assert os.environ["COS_REGION"] == "ap-tokyo"


def test_an_unknown_name_lists_those_that_there_are(project: Path) -> None:
    """A usage error."""
    status, out, err = run("--ledger", "prod", "jobs")
    assert (status, out) == (2, "")
    assert "no ledger is named 'prod': there are mine, production, staging" in err


def test_without_any_file_an_unknown_name_says_where_names_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In two places."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "400")
    _, _, err = run("--ledger", "prod", "jobs")
    assert "ci-callback.ini or " in err
    assert "ledgers.ini would name it" in err


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[a]\nurl = http://x\n", "ci-callback.ini [a] url: found no such address, expected cos:"),
        ("[a]\n", "[a] url: found no such address"),
        ("[a]\nurl = file:x\nsecret_id = AKID\n", "credentials stay in the environment"),
        ("[a]\nurl = file:x\ncolour = pink\n", "expected one of red, yellow, green"),
        ("[a]\nurl = file:x\nread-only = perhaps\n", "expected yes or no"),
        ("[a]\nurl = file:x\nregion = Beijing!\n", "a region such as ap-guangzhou"),
        ("[a:b]\nurl = file:x\n", "a name such as production"),
        ("AKIDsecret\n", "MissingSectionHeaderError in line 1"),
        ("[a]\nAKIDsecret\n", "ParsingError in line 2"),
        ("[a]\nurl = file:x\n[a]\n", "DuplicateSectionError in line 3"),
    ],
)
def test_a_wrong_file_is_an_error_that_shows_no_value_of_it(
    text: str, says: str, project: Path
) -> None:
    """Exit status 3, whichever ledger is asked for: its read-only flags are not known."""
    (project / "ci-callback.ini").write_text(text)
    for arguments in (("--ledger", "a", "jobs"), ("jobs",)):
        status, _, err = run(*arguments)
        assert (status, "AKID" in err) == (3, False)
        assert says in err


WRITERS = (
    ("invoke", PAYLOAD),
    ("sweep",),
    ("reconcile", "--tag", "Transcode"),
    ("replay", "--from", "staging"),
    ("dead", "replay", "5891b5b5"),
    ("events", "resend", "--unsent"),
    ("compact", "--all-stale"),
    ("purge", "p1", "--yes"),
    ("serve", "--port", "0"),
)


@pytest.mark.parametrize("arguments", WRITERS, ids=str)
@pytest.mark.parametrize("ledger", ["production", "file:./production"])
def test_what_is_read_only_is_not_written(
    ledger: str, arguments: tuple[str, ...], project: Path
) -> None:
    """By its name, and by its address too."""
    before = sorted(project.rglob("production/**"))
    status, _, err = run("--ledger", ledger, *arguments)
    assert status == 1
    assert "production is read-only (ci-callback.ini): name another ledger with --ledger" in err
    assert sorted(project.rglob("production/**")) == before


@pytest.mark.parametrize(
    ("protected", "asked", "is_read_only"),
    [
        ("cos://b-1250000000", "cos://b-1250000000/ci", True),
        ("cos://b-1250000000/ci", "cos://b-1250000000/ci/eu", True),
        ("cos://b-1250000000/ci", "cos://b-1250000000/ci2", False),
        ("cos://b-1250000000/ci", "cos://b-1250000000", False),
        ("cos://b-1250000000", "cos://c-1250000000/ci", False),
        ("file:./a", "file:./a/b", True),
        ("file:./a", "file:./ab", False),
    ],
)
def test_read_only_covers_what_lies_inside(
    protected: str, asked: str, is_read_only: bool, project: Path
) -> None:
    """A ledger below another one is a part of it, under whatever name of its own."""
    (project / "ci-callback.ini").write_text(
        f"[outer]\nurl = {protected}\nread-only = yes\n[inner]\nurl = {asked}\n"
    )
    ledger = known_as(store_url(asked))
    assert ledger is not None
    assert ledger.is_read_only == is_read_only
    assert ledger.name == ("outer" if is_read_only else "inner")


def test_a_store_that_is_read_only_writes_nothing(project: Path) -> None:
    """Whatever a command forgets to ask."""
    store = ReadOnly(FolderStore(project / "production"), by_name("production"))
    assert [key for key in store.list("jobs/") if store.get(key)]
    assert store.folders("")
    assert list(store.dated("jobs/"))
    for write in (
        lambda: store.put("a", b""),
        lambda: store.put_new("a", b""),
        lambda: store.delete("a"),
        lambda: store.delete_many(["a"]),
    ):
        with pytest.raises(ReadOnlyError):
            write()


def test_a_chosen_name_counts_where_two_name_one_address(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without one, that which is read-only."""
    with (project / "ci-callback.ini").open("a") as file:
        file.write("[deployment]\nurl = file:./production\n")
    url = store_url(f"file:{project}/production")
    ledger = known_as(url)
    assert ledger is not None
    assert ledger.name == "production"
    status, _, err = run("--ledger", "deployment", "invoke", PAYLOAD)
    assert status == 0
    assert "ledger: deployment (file:production)" in err


def test_a_writer_names_the_ledger_in_its_colour(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On stderr; in a pipe without colour."""
    assert run("--ledger", "staging", "invoke", PAYLOAD)[2].startswith(
        "ledger: staging (file:staging)"
    )
    written = run("--ledger", "file:./other", "invoke", PAYLOAD)[2]
    assert written.startswith("ledger: file:other")
    assert shown_ledger(store_url("file:./staging")).style == "bold green"
    assert terminal.visible(shown_ledger(store_url("file:./other")).value) == "file:other"


def test_doctor_tries_nothing_on_a_ledger_that_is_read_only(project: Path) -> None:
    """It says so."""
    _, out, _ = run("--ledger", "production", "doctor", "--json")
    assert "production is read-only (ci-callback.ini): nothing is tried on it" in out
    assert not list(project.glob("production/_doctor/*"))


def test_a_named_ledger_is_read_from_too(project: Path) -> None:
    """replay --from production."""
    status, out, _ = run("replay", "--from", "production")
    assert (status, out) == (0, "1 callbacks processed; jobs: 1 kept\n")


def test_a_file_in_the_wrong_place_is_no_name(project: Path) -> None:
    """A folder where the file would be is an error, not silence."""
    (project / "ci-callback.ini").unlink()
    (project / "ci-callback.ini").mkdir()
    with pytest.raises(SettingsError, match="expected a file"):
        named_ledgers()


def test_a_file_of_windows_may_begin_with_a_mark(project: Path) -> None:
    """Its Notepad writes one."""
    text = (project / "ci-callback.ini").read_text()
    (project / "ci-callback.ini").write_text(text, encoding="utf-8-sig")
    assert run("--ledger", "production", "jobs", "--columns", "job")[1] == "p1\n"
