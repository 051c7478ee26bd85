"""docs/record.md and its Chinese twin, generated from the published schema and the catalogue: they
can't differ from them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from handler.callback.tag import Tag

CHINESE = Path(__file__).with_name("record_zh.txt")
MAX_EXAMPLE = 40
"""The Chinese of each description in the schema: a line per description, English, tab, Chinese."""


class Words(NamedTuple):
    """The page in one language: a template, and the words of its generated parts."""

    template: str
    """Its file beside this one. A line `<!-- NAME -->` is replaced by the part of that name."""
    about: Callable[[str], str]
    """The text of a description of the schema."""
    field_head: str
    none: str
    either: str
    comma: str
    semicolon: str
    array_of: str
    part: str
    alike: str


@cache
def chinese() -> Mapping[str, str]:
    """The Chinese of each description, by its English."""
    lines = CHINESE.read_text(encoding="utf-8").splitlines()
    return dict(line.split("\t") for line in lines)


EN = Words(
    template="record_en.md",
    about=lambda text: text,
    field_head="| field | type | meaning | example |",
    none="none",
    either=" or ",
    comma=", ",
    semicolon="; ",
    array_of="{array} of {item}",
    part="`{name}`, part of several results",
    alike="### Same form as {form}",
)

ZH = Words(
    template="record_zh.md",
    about=lambda text: chinese().get(text, text),
    field_head="| 字段 | 类型 | 含义 | 示例 |",
    none="无",
    either=" 或 ",
    comma="、",
    semicolon="；",
    array_of="{item} 的 {array}",
    part="`{name}`（多种结果的组成部分）",
    alike="### 格式与 {form} 相同",
)


def page(schema: dict[str, Any], tags: Iterable[Tag], words: Words = EN) -> str:
    """The whole page."""
    parts = _Page(schema, words)
    text = Path(__file__).with_name(words.template).read_text(encoding="utf-8")
    made = {"fields": parts.fields(), "tags": parts.tags(tags), "results": parts.results()}
    for name, lines in made.items():
        text = text.replace(f"<!-- {name} -->", "\n".join(lines).rstrip())
    return text


class _Page:
    """The page in one language."""

    def __init__(self, schema: dict[str, Any], words: Words) -> None:
        self.schema = schema
        self.words = words

    def fields(self) -> list[str]:
        """The table of all fields."""
        return self._table(self.schema["properties"], "")

    def results(self) -> list[str]:
        """A table for each form of `result`."""
        lines: list[str] = []
        alike: dict[str, list[str]] = {}
        for name, definition in self._results():
            if "$ref" in definition:
                alike.setdefault(self._type(definition), []).append(name)
                continue
            lines += [f"### {name}", "", *self._table(definition["properties"], ""), ""]
        for form, names in alike.items():
            lines += [self.words.alike.format(form=form), "", self.words.comma.join(names), ""]
        return lines

    def tags(self, tags: Iterable[Tag]) -> Iterator[str]:
        """A row for each tag: its family, the fields of its result, and its source."""
        forms = {
            rule["if"]["properties"]["tag"]["const"]: rule["then"]["properties"]["result"]
            for rule in self.schema["allOf"]
            if "tag" in rule["if"]["properties"]
        }
        for tag in tags:
            form = forms[tag.name]
            while "$ref" in form:
                form = self.schema["$defs"][form["$ref"].rpartition("/")[2]]
            names = (f"`{name}`" for name in form.get("properties", ()))
            fields = self.words.comma.join(names) or self.words.none
            letter = f"{tag.family.letter}…"
            yield f"| {tag.name} | {tag.family_name} | {letter} | {fields} | {self._source(tag)} |"

    def _source(self, tag: Tag) -> str:
        return _cell(tag.source).replace("; ", self.words.semicolon)

    def _results(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """(tags, definition) of each result, every definition once."""
        tags: dict[str, list[str]] = {}
        for rule in self.schema["allOf"]:
            ((_, where),) = rule["if"]["properties"].items()
            reference = rule["then"]["properties"]["result"].get("$ref")
            if reference:
                tags.setdefault(reference.rpartition("/")[2], []).append(where["const"])
        for name, known in tags.items():
            yield self.words.comma.join(known), self.schema["$defs"][name]
        tag_names = set(tags)
        for name, definition in self.schema["$defs"].items():
            if name not in tag_names:
                yield self.words.part.format(name=name), definition

    def _table(self, properties: dict[str, Any], prefix: str) -> list[str]:
        rows = [self.words.field_head, "|---|---|---|---|"] if not prefix else []
        for name, node in properties.items():
            example = node.get("examples", [""])[0]
            shown = f"`{_example(example)}`" if example not in ("", None) else ""
            about = _cell(self.words.about(node.get("description", "")))
            rows.append(f"| `{prefix}{name}` | {self._type(node)} | {about} | {shown} |")
            if node.get("type") in ("object", ["object", "null"]) and "properties" in node:
                rows += self._table(node["properties"], f"{prefix}{name}.")
            items = node.get("items", {})
            if "properties" in items:
                rows += self._table(items["properties"], f"{prefix}{name}[].")
        return rows

    def _type(self, node: dict[str, Any]) -> str:
        if "$ref" in node:
            return f"`{node['$ref'].rpartition('/')[2]}`"
        if "anyOf" in node:
            return self.words.either.join(self._type(option) for option in node["anyOf"])
        if "const" in node:
            return f"`{node['const']}`"
        if "enum" in node:
            return self.words.comma.join(
                "null" if value is None else f"`{value}`" for value in node["enum"]
            )
        kind = node.get("type", "any")
        kinds = [kind] if isinstance(kind, str) else kind
        either = self.words.either.join(kinds)
        if "array" in kinds and "$ref" in node.get("items", {}):
            return self.words.array_of.format(array=either, item=self._type(node["items"]))
        return either


def _example(value: Any) -> str:
    """As JSON, long check sums shortened: they would make a table wider than the page."""
    text = json.dumps(value, ensure_ascii=False).strip('"')
    return _cell(text if len(text) <= MAX_EXAMPLE else f"{text[:MAX_EXAMPLE]}…")


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
