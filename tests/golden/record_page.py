"""docs/record.md, made of the published schema and the catalogue: it can't differ from them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from handler.callback.tag import Tag

HEAD = """# The record: `job-record/1`

One JSON object on one line, UTF-8, its keys in this order. Every field is always there; `null`
where the callback does not tell. Times are RFC 3339 in UTC, durations are in seconds. The
published schema is [job-record-1.schema.json](../ci_callback/job-record-1.schema.json);
this page is made of it (`python -m tests.golden.write`).

Where it is kept:

| key | what |
|---|---|
| `jobs/dt=YYYY-MM-DD/JOB_ID.json` | a job's end |
| `workflows/dt=…/RUN_ID.json` | the end of a workflow's run |
| `reviews/dt=…/JOB_ID-STATE-DIGEST.json` | one report of a moderation |
| `_unfinished/dt=…/JOB_ID-STATE.json` | a callback of a job that has not ended |

`dt` is the UTC day on which the job was created; 1970-01-01 where the callback does not say, or
names a time before 2015 or after 2100. So a job has two records where one of its callbacks names
a creation and another does not. They are one job: the record whose day is known counts, and the
one under 1970-01-01 is left out. The tool reads them so; who reads the keys must do the same.

In a key, bytes of a name other than `a-z0-9` are written `~XX`; a name of more than 80 characters
as its first 16, `~`, and its SHA-256. A record never changes once it is written.

The same callback in XML and in JSON gives the same record, `source` and `details` aside. A form
that breaks with this one will have another name in `schema`; fields may be added to this one, so
read what you know and let the rest be.
"""


TAGS = """## Tags

One row for each kind of job that is known. A tag that is not here is kept too: its `result` is
null, and its `details` are whole. Sources: a name in Chinese is the callback page of that name in
CI's API reference, a number a page under cloud.tencent.com/document; GO, JAVA and IOS are the
structs of cos-go-sdk-v5, cos-java-sdk-v5 and qcloud-sdk-ios.
"""


def page(schema: dict[str, Any], tags: Iterable[Tag]) -> str:
    """The whole page."""
    lines = [HEAD, "## Fields", "", *_table(schema["properties"], ""), ""]
    lines += [TAGS, *_tags(schema, tags), ""]
    lines += ["## Results", "", "`result` is typed by `tag`; null for a tag that has none.", ""]
    alike: dict[str, list[str]] = {}
    for name, definition in _results(schema):
        if "$ref" in definition:
            alike.setdefault(_type(definition), []).append(name)
            continue
        lines += [f"### {name}", "", *_table(definition["properties"], ""), ""]
    for form, names in alike.items():
        lines += [f"### As {form}", "", f"{', '.join(names)}.", ""]
    return "\n".join(lines).rstrip() + "\n"


def _tags(schema: dict[str, Any], tags: Iterable[Tag]) -> Iterator[str]:
    """A row for each tag: where its jobs are kept, the fields of its result, and its source."""
    yield "| tag | family | JobId | fields of `result` | source |"
    yield "|---|---|---|---|---|"
    forms = {
        rule["if"]["properties"]["tag"]["const"]: rule["then"]["properties"]["result"]
        for rule in schema["allOf"]
        if "tag" in rule["if"]["properties"]
    }
    for tag in tags:
        form = forms[tag.name]
        while "$ref" in form:
            form = schema["$defs"][form["$ref"].rpartition("/")[2]]
        fields = ", ".join(f"`{name}`" for name in form.get("properties", ())) or "none"
        letter = f"{tag.family.letter}…"
        yield f"| {tag.name} | {tag.family_name} | {letter} | {fields} | {_cell(tag.source)} |"


def _results(schema: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """(tags, definition) of each result, every definition once."""
    tags: dict[str, list[str]] = {}
    for rule in schema["allOf"]:
        ((_, where),) = rule["if"]["properties"].items()
        reference = rule["then"]["properties"]["result"].get("$ref")
        if reference:
            tags.setdefault(reference.rpartition("/")[2], []).append(where["const"])
    for name, known in tags.items():
        yield ", ".join(known), schema["$defs"][name]
    tag_names = set(tags)
    for name, definition in schema["$defs"].items():
        if name not in tag_names:
            yield f"`{name}`, a part of several", definition


def _table(properties: dict[str, Any], prefix: str) -> list[str]:
    rows = ["| field | type | what | example |", "|---|---|---|---|"] if not prefix else []
    for name, node in properties.items():
        example = node.get("examples", [""])[0]
        shown = (
            f"`{_cell(json.dumps(example, ensure_ascii=False).strip(chr(34)))}`"
            if example not in ("", None)
            else ""
        )
        about = _cell(node.get("description", ""))
        rows.append(f"| `{prefix}{name}` | {_type(node)} | {about} | {shown} |")
        if node.get("type") in ("object", ["object", "null"]) and "properties" in node:
            rows += _table(node["properties"], f"{prefix}{name}.")
        items = node.get("items", {})
        if "properties" in items:
            rows += _table(items["properties"], f"{prefix}{name}[].")
    return rows


def _type(node: dict[str, Any]) -> str:
    if "$ref" in node:
        return f"`{node['$ref'].rpartition('/')[2]}`"
    if "anyOf" in node:
        return " or ".join(_type(option) for option in node["anyOf"])
    if "const" in node:
        return f"`{node['const']}`"
    if "enum" in node:
        return ", ".join("null" if value is None else f"`{value}`" for value in node["enum"])
    kind = node.get("type", "any")
    kinds = [kind] if isinstance(kind, str) else kind
    either = " or ".join(kinds)
    if "array" in kinds and "$ref" in node.get("items", {}):
        return f"{either} of {_type(node['items'])}"
    return either


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
