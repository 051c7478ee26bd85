"""The columns of a record for query engines, made from the published schema, never from a sample.

A sample sees no `result` in a thousand jobs that have none, and a number where the first `code`
happens to be one. A field with one form in the schema gets that type. A field without one, or with
another one for each tag (`details`, `result`), is `free`: JSON, or its text.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

Schema = Mapping[str, Any]

_A_TIME = "2022-07-25T08:35:39Z"


@dataclass(frozen=True)
class Engine:
    """How a query engine writes its types. {} is the type within, {name} that of a field."""

    text: str
    time: str
    integer: str
    number: str
    boolean: str
    free: str | None
    """None: the engine can't read such a column, so it is left out."""
    list: str
    map: str
    struct: str
    field: str


DUCKDB = Engine(
    text="VARCHAR",
    time="TIMESTAMP",
    integer="BIGINT",
    number="DOUBLE",
    boolean="BOOLEAN",
    free="JSON",
    list="{}[]",
    map="MAP(VARCHAR, {})",
    struct="STRUCT({})",
    field='"{name}" {type}',
)
"""TIMESTAMP, in UTC: of a TIMESTAMPTZ the hour would depend on the machine's time zone."""

PARQUET = replace(DUCKDB, time="TIMESTAMPTZ", free="VARCHAR")
"""As DuckDB writes a compacted day: instants, as Parquet calls them, and text, which every engine
reads; few know Parquet's own JSON."""

SPARK = Engine(
    text="STRING",
    time="TIMESTAMP",
    integer="BIGINT",
    number="DOUBLE",
    boolean="BOOLEAN",
    free="STRING",
    list="ARRAY<{}>",
    map="MAP<STRING, {}>",
    struct="STRUCT<{}>",
    field="`{name}`: {type}",
)
"""Its JSON source gives an object in a STRING column as its text."""

HIVE = Engine(
    text="string",
    time="string",
    integer="bigint",
    number="double",
    boolean="boolean",
    free=None,
    list="array<{}>",
    map="map<string,{}>",
    struct="struct<{}>",
    field="`{name}`:{type}",
)
"""Hive's JsonSerDe (hive-hcatalog-core) reads no RFC 3339 time, and fails on an object in a
string column."""


HIVE_PARQUET = replace(HIVE, time="timestamp", free="string")
"""The same engines over compacted days."""


@functools.cache
def published() -> Schema:
    """The published schema of job-record/1."""
    path = Path(__file__).parents[1] / "job-record-1.schema.json"
    schema: Schema = json.loads(path.read_text(encoding="utf-8"))
    return schema


def columns(engine: Engine, schema: Schema | None = None) -> dict[str, str]:
    """Name and type of each field of a record, in order; those that the engine can read."""
    read = {
        name: _type(engine, node) for name, node in (schema or published())["properties"].items()
    }
    return {name: kind for name, kind in read.items() if kind is not None}


def _type(engine: Engine, node: Schema) -> str | None:
    kinds = set(_kinds(node)) - {"null"}
    if len(kinds) != 1:
        return engine.free
    kind = kinds.pop()
    if kind == "object":
        return _object(engine, node)
    if kind == "array":
        return _within(engine.list, _type(engine, node.get("items", {})), engine)
    if kind == "string" and "pattern" in node and re.search(node["pattern"], _A_TIME):
        return engine.time
    scalars = {"string": engine.text, "integer": engine.integer, "number": engine.number}
    return {**scalars, "boolean": engine.boolean}[kind]


def _kinds(node: Schema) -> list[str]:
    """JSON types that a node may have; none where the schema does not say."""
    if "enum" in node or "const" in node:
        values = node.get("enum", [node.get("const")])
        return ["string" if isinstance(value, str) else "null" for value in values]
    kind = node.get("type", [])
    return [kind] if isinstance(kind, str) else list(kind)


def _object(engine: Engine, node: Schema) -> str | None:
    if "properties" in node:
        fields = {name: _type(engine, schema) for name, schema in node["properties"].items()}
        written = [
            engine.field.format(name=name, type=kind)
            for name, kind in fields.items()
            if kind is not None
        ]
        return engine.struct.format(", ".join(written)) if written else engine.free
    others = node.get("additionalProperties")
    if isinstance(others, Mapping):
        return _within(engine.map, _type(engine, others), engine)
    return engine.free


def _within(form: str, kind: str | None, engine: Engine) -> str | None:
    return form.format(kind) if kind is not None else engine.free
