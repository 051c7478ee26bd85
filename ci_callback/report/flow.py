"""The chart of what became of failures: two bars, the lower of which is a part of the upper."""

from __future__ import annotations

from collections.abc import Mapping

from ci_callback.report import draw, shapes
from ci_callback.report.chart import Chart, Drawing, Heading, make, nothing
from ci_callback.report.draw import Key
from ci_callback.report.figures import Figures
from ci_callback.report.links import Drawn, linked
from ci_callback.report.markup import Safe
from ci_callback.report.palette import FATE_TONES
from ci_callback.report.retries import RETRIED, Retries
from ci_callback.report.scales import count, share
from ci_callback.report.shapes import Part
from ci_callback.texts import Texts

_NAME = "ch-retries"
_UPPER, _LOWER, _BAR = 18.0, 76.0, 22.0
"""Where the bars begin, and how high they are."""


def retries(figures: Figures, how: Drawn) -> Chart:
    """Failed jobs, those tried again, and how that ended."""
    of, texts = figures.retries, how.texts
    heading = Heading(_NAME, texts("report.retry_title"), texts("report.retry_note"))
    if not of.failed:
        return nothing(heading, texts)
    ways = {"retried": of.retried, "waiting": of.waiting, "not_retried": of.not_retried}
    fates: dict[str, int] = {fate: of.fates[fate] for fate in RETRIED if of.fates[fate]}
    rows = [[_named(way, n, how), count(n), share(n, of.failed), ""] for way, n in ways.items()]
    rows += [
        [_named(fate, n, how), count(n), "", share(n, of.retried)] for fate, n in fates.items()
    ]
    rows += [
        [texts("report.retry_attempt", attempt=at), count(n), "", share(n, of.retried)]
        for at, n in of.recovered_at.items()
    ]
    title = texts("report.retry_up", count=count(of.failed))
    drawn = [shapes.text(0, _UPPER - 7, title, "start", "ch-strong")]
    drawn += draw.split(_NAME, _parts(ways, how), _UPPER, _BAR)
    high = _UPPER + _BAR
    if of.retried:
        drawn += _lower(of, fates, how)
        high = _LOWER + _BAR
    high, listed = draw.legend(_NAME, _keys(ways, of.failed, texts), high + 12)
    high, ended = draw.legend(_NAME, _keys(fates, of.retried, texts), high + 6)
    heads = [texts("report.col_what"), texts("jobs")]
    heads += [texts("report.col_of_failed"), texts("report.col_of_retried")]
    named = {texts(f"fate.{fate}"): n for fate, n in (ways | fates).items()}
    label = "; ".join(f"{name} {count(n)}" for name, n in named.items())
    return make(heading, Drawing(label, high, [*drawn, *listed, *ended]), heads, rows)


def _named(fate: str, number: int, how: Drawn) -> Safe:
    href = how.links.records(fate=fate) if number else ""
    return linked(how.texts(f"fate.{fate}"), href)


def _lower(of: Retries, fates: Mapping[str, int], how: Drawn) -> list[Safe]:
    title = how.texts("report.retry_down", count=count(of.retried))
    retried = shapes.WIDTH * of.retried / of.failed - 1
    return [
        draw.band((0, retried), _UPPER + _BAR + 1, (0, shapes.WIDTH), _LOWER - 2),
        shapes.text(0, _LOWER - 6, title, "start", "ch-strong"),
        *draw.split(_NAME, _parts(fates, how), _LOWER, _BAR),
    ]


def _parts(counts: Mapping[str, int], how: Drawn) -> list[Part]:
    return [
        Part(
            FATE_TONES[key],
            n,
            f"{how.texts(f'fate.{key}')} {count(n)}",
            how.links.records(fate=key),
        )
        for key, n in counts.items()
    ]


def _keys(counts: Mapping[str, int], whole: int, texts: Texts) -> list[Key]:
    return [
        Key(FATE_TONES[key], texts(f"fate.{key}"), f"{count(n)} · {share(n, whole)}")
        for key, n in counts.items()
        if n
    ]
