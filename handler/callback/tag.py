"""One kind of job, as a row of the catalogue. The rows are in catalogue.py."""

from __future__ import annotations

from functools import cached_property
from importlib import import_module
from typing import NamedTuple

from handler.callback import path_trie
from handler.callback.families import FAMILIES, Family, FamilyName
from handler.callback.outputs import Places
from handler.callback.path_trie import PathTrie
from handler.callback.results.fields import Table

COMMON_LISTS = (
    "Input.CosHeaders",
    "Operation.Input.CosHeaders",
    "Operation.MediaInfo.Stream.Audio",
    "Operation.MediaInfo.Stream.Subtitle",
    "Operation.MediaInfo.Stream.Video",
    "Operation.MediaResult.OutputFile.Md5Info",
    "Operation.MediaResult.OutputFile.ObjectName",
    "Operation.MediaResult.OutputFile.ObjectUrl",
    "Operation.MediaResult.OutputFile.SpriteOutputFile.Md5Info",
    "Operation.MediaResult.OutputFile.SpriteOutputFile.ObjectName",
    "Operation.Watermark",
    "Operation.WatermarkTemplateId",
)
"""Nodes that may repeat under any tag."""


_NOWHERE: Places = {}


class Row(NamedTuple):
    """One kind of job, as the catalogue describes it."""

    name: str
    family_name: FamilyName
    table: str | Table = ""
    """The table of the record's `result`: MODULE.NAME below results/, or the table itself; ""
    where the job finds nothing out."""
    source: str = ""
    """Where its result is documented."""
    result_nodes: tuple[str, ...] = ()
    """Nodes below Operation that CI adds: they hold what the job found out, and are no part of a
    request."""
    repeats: tuple[str, ...] = ()
    """Nodes of its request that may repeat; those of its result are in its table."""
    written: Places = _NOWHERE
    """Where its callback names the objects that were written. MediaResult is known to all."""


class Tag(Row):
    """One kind of job, with what follows from its row."""

    @property
    def family(self) -> Family:
        """Where CI keeps such jobs: endpoints, and the letter that their JobIds begin with."""
        return FAMILIES[self.family_name]

    @cached_property
    def result(self) -> Table | None:
        """The table of the record's `result`; None where the job finds nothing out."""
        if not isinstance(self.table, str):
            return self.table
        module, _, name = self.table.partition(".")
        if not module:
            return None
        table: Table = getattr(import_module(f"handler.callback.results.{module}"), name)
        return table

    @cached_property
    def lists(self) -> tuple[str, ...]:
        """Nodes that may repeat, so that one of them is a list too."""
        result_lists = self.result.lists() if self.result else ()
        return tuple(dict.fromkeys((*COMMON_LISTS, *self.repeats, *result_lists)))

    @cached_property
    def list_trie(self) -> PathTrie:
        """`lists`, put together for one walk."""
        return path_trie.build(self.lists)


UNKNOWN = Tag("", "media")
"""What stands in for a tag that is not in the table; its family is not looked at."""
