"""`python -m ci_callback report`: the command, and the page that it writes."""

from __future__ import annotations

import json
import re
from datetime import date, timedelta
from html.parser import HTMLParser
from itertools import combinations
from math import dist
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import typer
from typer.testing import CliRunner

from ci_callback.commands.report import report
from ci_callback.report import chart
from ci_callback.report.charts import CSS, charts
from ci_callback.report.figures import Figures
from ci_callback.report.gather import gather
from ci_callback.report.markup import el
from ci_callback.report.page import PAGE_CSS, page
from ci_callback.report.palette import FATE_TONES, OUTCOME_TONES
from handler.alerts.texts import Lang
from handler.callback.lineage import Lineage
from handler.ledger.attempts import Attempt, Attempts, State
from handler.ledger.folder import FolderStore
from tests.records import keep, record

EVIL = "<script>alert(1)</script>\"'&<img src=https://evil.test/x>"
PERIOD = ("--since", "2026-09-01", "--until", "2026-09-30")


class Page(HTMLParser):
    """What is in a page: its elements with their attributes, and its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert self._open == [], "all that was opened is closed"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len(attrs) == len(dict(attrs)), "no attribute twice"
        self.elements.append((tag, dict(attrs)))
        self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self._open:
            self.text += data + "\n"

    def named(self, tag: str) -> list[dict[str, str | None]]:
        """The attributes of all elements of a name."""
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> FolderStore:
    """The ledger that the command works on."""
    (tmp_path / "ledger").mkdir()
    monkeypatch.setenv("LEDGER_URL", f"file:{tmp_path}/ledger")
    monkeypatch.setenv("NO_COLOR", "1")
    return FolderStore(tmp_path / "ledger")


def run(*arguments: str) -> tuple[int, str, str]:
    """Exit status, stdout and stderr."""
    app = typer.Typer()
    app.command()(report)
    result = CliRunner().invoke(app, list(arguments))
    return result.exit_code, result.stdout, result.stderr


def fill(store: FolderStore, outside: str = "plain") -> None:
    """Jobs of some tags and days with every outcome and fate, all texts from outside alike."""
    outcomes = ("succeeded", "partial", "failed", "cancelled")
    job_input = {"object": outside, "headers": {"Size": "1000"}}
    for number in range(40):
        job = {"tag": f"Tag{number % 12}{outside}", "code": f"Code{number % 12}{outside}"}
        day = f"2026-09-{1 + number % 20:02d}"
        outcome = outcomes[number % 4]
        run_s = float(number * number)
        keep(store, record(f"j{number}", day, outcome=outcome, input=job_input, run_s=run_s, **job))
    retry = {"root_job_id": "j2", "attempt": 2}
    keep(store, record(f"again{outside}", outcome="succeeded", retry=retry))
    keep(store, record("w", kind="workflow", outcome="failed"), record("untold", tag=None))
    states: dict[str, State] = {"j6": "refused", "j10": "submitted", "j14": "submitting"}
    for root, state in states.items():
        Attempts(store).put(Lineage(root, 2), Attempt(state, 1.0, "s"))


def gathered(store: FolderStore) -> Figures:
    """The figures of September 2026."""
    return gather(store, date(2026, 9, 1), date(2026, 9, 30))


def drawn(figures: Figures, lang: Lang = "en") -> str:
    """Their page."""
    return page(figures, lang, "2026-10-01T00:00:00Z")


@pytest.fixture(scope="module", params=["plain", EVIL], ids=["plain", "evil"])
def shown(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Figures:
    """Figures of a full ledger, whose texts from outside are harmless, and are not."""
    store = FolderStore(tmp_path_factory.mktemp("ledger"))
    fill(store, request.param)
    return gathered(store)


# --- the command --------------------------------------------------------------------------


def test_a_page_is_written_and_its_path_printed(store: FolderStore, tmp_path: Path) -> None:
    """It takes the place of an older one, and leaves nothing beside it."""
    fill(store)
    out = tmp_path / "report.html"
    out.write_text("old", encoding="utf-8")
    code, printed, _ = run("--out", str(out), *PERIOD)
    assert (code, printed) == (0, f"{out}: 42 jobs, 2026-09-01 to 2026-09-30\n")
    assert "Jobs of Tencent Cloud Infinite" in Page(out.read_text(encoding="utf-8")).text
    assert {path.name for path in tmp_path.iterdir()} == {"ledger", "report.html"}


def test_the_figures_are_there_as_json(store: FolderStore, tmp_path: Path) -> None:
    """Alone, or with the page."""
    fill(store)
    code, printed, _ = run("--json", *PERIOD)
    figures = json.loads(printed)
    assert (code, figures["jobs"], figures["since"], figures["until"]) == (
        0,
        42,
        "2026-09-01",
        "2026-09-30",
    )
    assert figures["retries"]["fates"]["refused"] == 1
    assert figures["slowest"][0]["job_id"] == "j39"
    out = tmp_path / "report.html"
    assert json.loads(run("--json", "--out", str(out), *PERIOD)[1]) == figures
    assert out.exists()


def test_without_a_period_it_is_the_last_thirty_days(store: FolderStore) -> None:
    """Of a last day that is given, the thirty up to it."""
    figures = json.loads(run("--json")[1])
    days = date.fromisoformat(figures["until"]) - date.fromisoformat(figures["since"])
    assert days.days == 29
    assert json.loads(run("--json", "--until", "2026-03-01")[1])["since"] == "2026-01-31"
    assert json.loads(run("--json", "--until", "0001-01-02")[1])["since"] == "0001-01-01"
    ago = json.loads(run("--json", "--since", "7d")[1])
    assert date.fromisoformat(ago["until"]) - date.fromisoformat(ago["since"]) == timedelta(7)


@pytest.mark.parametrize(
    ("arguments", "printed"),
    [
        ((), "--out FILE.html"),
        (("--json", "--lang", "fr"), "en or zh"),
        (("--json", "--since", "2026-09-02", "--until", "2026-09-01"), "is after"),
        (("--json", "--since", "yesterday"), "yesterday"),
        (("--out", "no/such/folder/report.html"), "there is no folder"),
    ],
)
def test_usage_is_reported(store: FolderStore, arguments: tuple[str, ...], printed: str) -> None:
    """Before anything is read."""
    code, _, error = run(*arguments)
    assert code == 2
    assert printed in error


def test_a_page_that_can_not_be_written_is_reported(
    store: FolderStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And nothing half is left."""

    def full(*_: Any, **__: Any) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    code, _, error = run("--out", str(tmp_path / "report.html"))
    assert code == 2
    assert "No space left" in error
    assert not list(tmp_path.glob("*.html*"))


def test_wrong_settings_have_their_own_status(
    store: FolderStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As with every command."""
    monkeypatch.setenv("LEDGER_URL", "ftp://x")
    assert run("--json")[0] == 3


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize(("setting", "option", "lang"), [("zh", None, "zh-CN"), ("zh", "en", "en")])
def test_the_language_is_that_of_the_alerts_or_the_one_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, setting: str, option: str | None, lang: str
) -> None:
    """The page says in which it is."""
    monkeypatch.setenv("ALERT_LANG", setting)
    out = tmp_path / "report.html"
    run("--out", str(out), *(("--lang", option) if option else ()))
    assert Page(out.read_text(encoding="utf-8")).named("html") == [{"lang": lang}]


# --- the page -----------------------------------------------------------------------------


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_nothing_is_fetched_and_nothing_runs(shown: Figures, lang: Lang) -> None:
    """No script, no handler, no reference to anywhere else, whatever a callback says."""
    document = Page(drawn(shown, lang))
    names = {name for name, _ in document.elements}
    assert not names & {"script", "link", "img", "iframe", "object", "embed", "image", "use", "a"}
    for _, attributes in document.elements:
        assert not {"src", "href", "xlink:href", "srcset", "style", "action"} & set(attributes)
        assert not [name for name in attributes if name.startswith("on")]
        assert re.fullmatch(r"url\(#ch-[a-z]+-[a-z]+\)|", attributes.get("fill") or "")
    assert "url(" not in CSS + PAGE_CSS
    assert "@import" not in CSS + PAGE_CSS
    (policy,) = [meta["content"] for meta in document.named("meta") if "http-equiv" in meta]
    assert policy is not None
    assert policy.startswith("default-src 'none'")


def test_texts_from_outside_are_shown_as_they_are(shown: Figures) -> None:
    """Escaped once, not twice."""
    text = Page(drawn(shown)).text
    for failure in shown.failures:
        assert f"{failure.code}\n" in text
    assert {job.object for job in shown.largest} in ({"plain"}, {EVIL})
    assert f"{shown.largest[0].object}\n" in text


def test_an_id_is_there_once(shown: Figures) -> None:
    """And what is referred to is there."""
    document = Page(drawn(shown))
    ids = [attributes["id"] for _, attributes in document.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    filled = {attributes["fill"] for _, attributes in document.elements if "fill" in attributes}
    assert {str(reference)[5:-1] for reference in filled} <= set(ids)
    labels = {figure.get("aria-labelledby") for figure in document.named("figure")}
    assert labels <= set(ids)


def test_an_empty_ledger_has_a_page_that_says_what_to_do(store: FolderStore) -> None:
    """And no empty axes."""
    document = Page(drawn(gathered(store)))
    assert "No jobs in these days" in document.text
    assert "--since" in document.text
    assert not document.named("svg")


def test_the_head_has_the_figures(store: FolderStore) -> None:
    """Each with what it is of."""
    keep(store, *(record(f"j{n}", run_s=float(n), wait_s=n / 10) for n in range(100)))
    keep(store, record("f", outcome="failed", code="X", run_s=None, wait_s=None))
    text = Page(drawn(gathered(store))).text
    for printed in ("101", "99 %", "100 of 101", "49.5 s", "1.6 min", "9.4 s", "longest 1.6 min"):
        assert f"{printed}\n" in text


def test_what_was_not_counted_is_reported(store: FolderStore) -> None:
    """Runs and reviews beside the charts, records that can't be read above them."""
    store.put("jobs/dt=2026-09-20/x.json", b"{}")
    keep(store, record("r", kind="review", outcome="failed", tag=None))
    text = Page(drawn(gathered(store))).text
    assert "1 records could not be read" in text
    assert "Moderation reviews\nfailed 1\n" in text
    assert "Nothing to show in these days." in text


def test_a_job_that_never_ran_draws_a_page_too(store: FolderStore) -> None:
    """All run times 0; no failure, no size."""
    keep(store, record("a", run_s=0, wait_s=None))
    assert "median 0 s" in Page(drawn(gathered(store))).text


# --- the charts ---------------------------------------------------------------------------


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_each_chart_is_a_picture_and_a_table(shown: Figures, lang: Lang) -> None:
    """The picture is XML, has a label, and no style or script, so that any policy lets it pass."""
    diagrams = charts(shown, lang)
    assert len({diagram.id for diagram in diagrams}) == len(diagrams) == 6
    for diagram in diagrams:
        svg = ElementTree.fromstring(diagram.svg)
        assert (svg.get("role"), svg.get("aria-label", "").split(":")[0]) == ("img", diagram.title)
        names = {element.tag.rpartition("}")[2] for element in svg.iter()}
        assert names <= {"svg", "defs", "pattern", "path", "rect", "line", "text"} | {
            *("tspan", "title", "g")
        }
        table = ElementTree.fromstring(diagram.table)
        heads = len(table.findall(".//thead//th"))
        assert {len(row) for row in table.findall(".//tbody/tr")} == {heads}


def test_the_table_has_the_rows_that_the_picture_leaves_out(shown: Figures) -> None:
    """And the note says how many they are."""
    run_chart = charts(shown, "en")[2]
    assert run_chart.note.endswith("4 more in the numbers.")
    rows = ElementTree.fromstring(run_chart.table).findall(".//tbody/tr")
    assert len(rows) == 4 + chart.MAX_ROWS


def test_all_lies_within_the_drawing(shown: Figures) -> None:
    """So nothing is cut off, and nothing makes a phone scroll sideways."""
    for diagram in charts(shown, "en"):
        svg = ElementTree.fromstring(diagram.svg)
        _, _, width, height = (float(part) for part in svg.get("viewBox", "").split())
        for rect in svg.iter("{http://www.w3.org/2000/svg}rect"):
            x, y, wide, high = (float(rect.get(key, "0")) for key in ("x", "y", "width", "height"))
            assert min(x, y, wide, high) >= 0
            assert x + wide <= width + 0.02
            assert y + high <= height + 0.02
        for text in svg.iter("{http://www.w3.org/2000/svg}text"):
            assert 0 <= float(text.get("x", "-1")) <= width
            assert 0 < float(text.get("y", "-1")) <= height


def test_every_outcome_and_fate_has_a_colour_and_all_but_two_tones_a_hatch() -> None:
    """The plain ones, which are never confused: the usual good end, and the neutral whole."""
    tones = {*OUTCOME_TONES.values(), *FATE_TONES.values()}
    for tone in tones:
        assert f".ch-tone-{tone} " in CSS
    from ci_callback.report.shapes import _HATCHES

    assert tones - set(_HATCHES) == {"good", "retry"}


def test_markup_is_escaped_unless_it_was_made_here() -> None:
    """A string that looks like markup is text."""
    assert el("p", "<b>", el("i", "&"), title='"') == '<p title="&quot;">&lt;b&gt;<i>&amp;</i></p>'
    assert el("rect", x=1.50, class_="a", hidden=None) == '<rect x="1.5" class="a"/>'
    assert el("p") == "<p></p>"
    assert el("p", "a\u202eb\nc", title="\x9b") == '<p title="\\x9b">a\\u202eb\nc</p>'


SEEN_BY = {
    "protanopes": ((0.152, 1.053, -0.205), (0.115, 0.786, 0.099), (-0.004, -0.048, 1.052)),
    "deuteranopes": ((0.367, 0.861, -0.228), (0.280, 0.673, 0.047), (-0.012, 0.043, 0.969)),
    "tritanopes": ((1.256, -0.077, -0.179), (-0.078, 0.931, 0.148), (0.005, 0.691, 0.304)),
    "most": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
}
"""Linear RGB as it is seen: Machado, Oliveira, Fernandes 2009, severity 1.0."""

Vector = tuple[float, float, float]


def palette(mode: str) -> dict[str, str]:
    """The colours of charts.css by their names, for light or dark."""
    light, _, dark = CSS.partition("@media screen and (prefers-color-scheme: dark)")
    text = light if mode == "light" else dark
    return dict(re.findall(r"--ch-([a-z]+): (#[0-9a-f]{6})", text))


def linear(colour: str) -> Vector:
    """sRGB as it is written to linear light."""
    parts = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return red, green, blue


def dot(first: Vector, second: Vector) -> float:
    """The sum of the products."""
    return sum(a * b for a, b in zip(first, second, strict=True))


def oklab(rgb: Vector) -> list[float]:
    """Where equal distances look alike (Ottosson 2020)."""
    to_cones = ((0.4122, 0.5363, 0.0514), (0.2119, 0.6807, 0.1074), (0.0883, 0.2817, 0.6300))
    long, middle, short = (max(dot(row, rgb), 0) ** (1 / 3) for row in to_cones)
    to_lab = ((0.2105, 0.7936, -0.0041), (1.9780, -2.4286, 0.4506), (0.0259, 0.7828, -0.8087))
    return [dot(row, (long, middle, short)) for row in to_lab]


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_colours_stand_out_from_their_surface(mode: str) -> None:
    """WCAG 2.2: 4.5:1 for text, 3:1 for what else must be told apart from the ground."""

    def luminance(colour: str) -> float:
        return dot((0.2126, 0.7152, 0.0722), linear(colour)) + 0.05

    colours = palette(mode)
    ground = luminance(colours["surface"])
    for name in set(colours) - {"surface", "line", "track", "band"}:
        own = luminance(colours[name])
        ratio = max(own, ground) / min(own, ground)
        assert ratio >= (4.5 if name in ("ink", "dim") else 3), (name, ratio)


@pytest.mark.parametrize("who", SEEN_BY)
@pytest.mark.parametrize("mode", ["light", "dark"])
@pytest.mark.parametrize("tones", [OUTCOME_TONES, FATE_TONES], ids=["outcomes", "fates"])
def test_colours_of_one_chart_are_distinguished(who: str, mode: str, tones: dict[str, str]) -> None:
    """By those who see fewer colours too; the hatches come on top of that."""
    colours = palette(mode)
    # The neutral tone is that of a whole, which stands beside no other fate but two.
    seen = {
        tone: oklab(tuple(dot(row, linear(colours[tone])) for row in SEEN_BY[who]))  # type: ignore[arg-type]  # a tuple of three
        for tone in set(tones.values()) - {"retry"}
    }
    for first, second in combinations(seen, 2):
        assert dist(seen[first], seen[second]) >= 0.07, (first, second)
