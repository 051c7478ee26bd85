"""The texts of the tool in English and Chinese, as one table: each text is in it once.

The rows are in a module per kind: names of what the function and the tool produce (names.py),
words that several pages use (common.py), the console's (console.py, timeline.py, messages.py,
page_help.py), the report's (report.py). CI's own words (tags, states, codes, names of nodes) are
not translated. Alerts are the function's; their texts are in handler/alerts/texts.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ci_callback.texts import common, console, messages, names, page_help, report, timeline
from ci_callback.texts.row import Row
from handler.alerts.texts import KINDS, Lang

LANGS: tuple[Lang, ...] = ("en", "zh")


def merged(*tables: Mapping[str, Row]) -> dict[str, Row]:
    """One table of several.

    Raises:
        ValueError: two of them have the same key.
    """
    whole: dict[str, Row] = {}
    for table in tables:
        twice = whole.keys() & table.keys()
        if twice:
            raise ValueError(f"two texts have one key: {', '.join(sorted(twice))}")
        whole.update(table)
    return whole


TEXTS: Mapping[str, Row] = merged(
    names.TEXTS,
    common.TEXTS,
    console.TEXTS,
    messages.TEXTS,
    page_help.TEXTS,
    timeline.TEXTS,
    report.TEXTS,
)


@dataclass(frozen=True)
class Texts:
    """The texts of one language."""

    lang: Lang

    def __call__(self, key: str, **values: object) -> str:
        """A text with its values filled in.

        Raises:
            KeyError: there is no such text.
        """
        text = TEXTS[key][LANGS.index(self.lang)]
        return text.format(**values) if values else text

    def outcome(self, name: str) -> str:
        """The text of an outcome or a status; of an unknown one its name, so that a page can show
        whatever a ledger holds."""
        key = f"outcome.{name}"
        return self(key) if key in TEXTS else name

    def delivery(self, name: str) -> str:
        """The text of what became of an event or of a digest; of an unknown one its name."""
        key = f"delivery.{name}"
        return self(key) if key in TEXTS else name

    def tone(self, key: str) -> str:
        """The tone of a message about what was done: bad where it was not."""
        return "bad" if key in messages.FAILED else "good"

    def kind(self, name: str) -> str:
        """The name of a kind of alert; of an unknown one as it is stored."""
        return KINDS[name].texts(self.lang)[0] if name in KINDS else name

    def action(self, name: str) -> str:
        """The text of a ticket's action; of an unknown one its name."""
        if name.startswith("alert."):
            return self("action.alert", kind=self.kind(name.removeprefix("alert.")))
        key = f"action.{name}"
        return self(key) if key in TEXTS else name
