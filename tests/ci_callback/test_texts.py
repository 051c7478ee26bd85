"""The texts of the tool: one table, complete in both languages."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest

import ci_callback
from ci_callback import texts
from ci_callback.console import events, follow
from ci_callback.console.actions import RETRY_FAILURES
from ci_callback.console.tickets import KINDS as KINDS_OF_TICKETS
from ci_callback.console.times import ZONES
from ci_callback.deploy.alarms import ALARMS
from ci_callback.deploy.dashboard import CHARTS
from ci_callback.devserver.history import Way
from ci_callback.devserver.samples import names
from ci_callback.record_index.rows import UNREADABLE
from ci_callback.record_index.search import SORTS
from ci_callback.report.retries import Fate
from ci_callback.report.scales import Step
from ci_callback.texts import LANGS, TEXTS, Texts
from ci_callback.texts.row import family
from handler.alerts import services
from handler.alerts.texts import KINDS, WORDS, Lang
from handler.callback.outcome import Outcome
from handler.forwarding import sending as forwarding
from handler.ledger.outbox import Action
from handler.retries.worker import DECIDE
from handler.triggers import TASKS, Status
from tests.test_docs import ROOT

TOOL = Path(ci_callback.__file__).parent
PLACES = re.compile(r"{(\w*)}")

HELP = {
    name
    for page in (TOOL / "console" / "templates").glob("*.html")
    for name in re.findall(r"{{ help\('(\w+)'\) }}", page.read_text(encoding="utf-8"))
}
"""The pages that explain themselves: all but errors."""

FAMILIES: dict[str, set[str]] = {
    "outcome.": {*get_args(Outcome), *get_args(Status), "ok", "", UNREADABLE},
    "action.": {*get_args(Action), "alert"},
    "task.": {*TASKS, "replay", "run_now"},
    "delivery.": {*get_args(forwarding.Status), *get_args(services.Status)},
    "fate.": {*get_args(follow.Fate), *get_args(Fate), "retried"},
    "way.": {*get_args(Way), "ledger"},
    "event.": {*events.RANK, "ended_again"},
    "sample.": set(names()),
    "retry_ends.": set(RETRY_FAILURES),
    "report.days_title.": set(get_args(Step)),
    "zone.": set(ZONES),
    "zone_why.": set(ZONES),
    "sort.": set(SORTS),
    "kind.": set(KINDS_OF_TICKETS),
    "by.": {"received", "created"},
    "watch.": {alarm.key for alarm in ALARMS},
    "dashboard.": {chart.key for chart in CHARTS},
    "help.": HELP,
    "unit.": {"s", "min", "h", "d"},
    "error.": {"403", "404", "413", "503"},
}
"""Texts that the code asks for by a part of their key, and all that it may put there."""


def sources() -> Iterator[str]:
    """The code and the templates that ask for texts."""
    for path in TOOL.rglob("*"):
        if path.suffix in (".py", ".html") and path.parent.name != "texts":
            yield path.read_text(encoding="utf-8")


@pytest.mark.parametrize("key", TEXTS)
def test_a_text_has_both_languages_with_the_same_values(key: str) -> None:
    """And neither is empty."""
    row = TEXTS[key]
    assert row.en.strip()
    assert row.zh.strip()
    assert set(PLACES.findall(row.en)) == set(PLACES.findall(row.zh))
    assert "" not in PLACES.findall(row.en)


def test_no_text_is_there_twice() -> None:
    """Two keys with one text in both languages would be one text."""
    alerts = [(kind.en, kind.zh) for kind in KINDS.values()]
    counts = Counter([*map(tuple, TEXTS.values()), *alerts])
    assert [text for text, count in counts.items() if count > 1] == []


def test_every_text_is_used() -> None:
    """By its whole key, or as a member of a family."""
    code = "".join(sources())
    members = {prefix + name for prefix, names in FAMILIES.items() for name in names}
    unused = [
        key
        for key in TEXTS
        if key not in members and not re.search(rf"['\"]{re.escape(key)}['\"]", code)
    ]
    assert unused == []


def test_every_text_that_is_asked_for_is_there() -> None:
    """The keys that templates and the report name as a whole."""
    asked = {
        key
        for source in sources()
        for key in re.findall(r"\b(?:t|texts|self)\(\s*['\"]([a-z_.]+)['\"]\s*[,)]", source)
    }
    assert len(asked) > 100
    assert asked <= set(TEXTS)


@pytest.mark.parametrize("prefix", FAMILIES)
def test_a_family_has_a_text_for_each_member_and_no_other(prefix: str) -> None:
    """Its members come from the enumerations of the function and the tool themselves."""
    members = {key.removeprefix(prefix) for key in TEXTS if key.startswith(prefix)}
    assert members == FAMILIES[prefix]


def test_a_family_with_a_missing_or_a_surplus_text_is_refused() -> None:
    """When the tool starts, so that no page can lack it."""
    with pytest.raises(ValueError, match="missing"):
        family("outcome", ("kept", "missing"), {"kept": ("kept", "已保存")})
    with pytest.raises(ValueError, match="surplus"):
        family("outcome", ("kept",), {"kept": ("a", "b"), "surplus": ("c", "d")})


def test_a_key_of_two_tables_is_refused() -> None:
    """One would hide the other."""
    with pytest.raises(ValueError, match="job"):
        texts.merged({"job": TEXTS["job"]}, {"job": TEXTS["tag"]})


def test_the_actions_with_a_text_are_those_that_a_sweep_carries_out() -> None:
    """What decides about a ticket has a row per action."""
    assert set(DECIDE) == set(get_args(Action))


def test_every_alert_that_the_function_raises_is_a_kind_with_texts() -> None:
    """Wherever its code names an alert."""
    files = (ROOT / "handler").rglob("*.py")
    source = "".join(path.read_text(encoding="utf-8") for path in files)
    raised = set(re.findall(r"\balert\.([a-z]+(?:-[a-z]+)*)", source))
    raised |= set(re.findall(r"\b(?:Alert|SetAside|\w+_alert|set_aside)\(\s*\"([a-z-]+)\"", source))
    raised |= set(re.findall(r"\balert_of\(\w+, \"([a-z-]+)\"", source))
    raised |= set(re.findall(r"\botherwise=\"([a-z-]+)\"", source))
    assert len(raised) >= len(KINDS) - 2
    assert raised <= set(KINDS)


@pytest.mark.parametrize("lang", LANGS)
def test_the_texts_of_alerts_are_complete_and_alike(lang: Lang) -> None:
    """With the same values in both languages."""
    assert set(WORDS["en"]) == set(WORDS["zh"])
    for kind in KINDS.values():
        assert all(part.strip() for part in kind.texts(lang))


def test_a_name_that_is_not_known_is_shown_as_it_is() -> None:
    """A later version may have written it: a page must not depend on a list being complete."""
    assert Texts("en").outcome("made_up") == "made_up"
    assert Texts("en").action("made_up") == "made_up"
    assert Texts("zh").kind("something-new") == "something-new"
    assert Texts("zh").action("alert.something-new") == "告警：something-new"


def test_a_known_name_is_shown_in_the_language() -> None:
    """Outcomes, kinds of alerts, actions."""
    assert Texts("zh").outcome("kept") == "已保存"
    assert Texts("en").kind("recovered") == "Recovered by a retry"
    assert Texts("en").action("alert.recovered") == "alert: Recovered by a retry"
    assert Texts("zh").action("retry") == "重试"
