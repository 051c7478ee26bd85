"""schema.py: the published schema says what each field is, in which unit, and shows one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest

from ci_callback import record_schema as schema
from handler.callback.catalogue import TAGS
from tests.callback.test_record import job, valid

SCHEMA = schema.build()

UNITS = {
    "_s": "econds",
    "_ms": "milliseconds",
    "_bytes": "bytes",
    "_byte": "bytes",
    "_bps": "bits per second",
    "_px": "pixels",
    "_hz": "hertz",
    "_deg": "degrees",
    "_percent": "percent",
    "_chars": "characters",
    "_per_s": "per second",
    "fps": "frames per second",
}


def properties(node: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every named property of the schema, with its path. Conditions aside."""
    for name, child in node.get("properties", {}).items():
        yield f"{path}.{name}", child
        yield from properties(child, f"{path}.{name}")
    if "items" in node:
        yield from properties(node["items"], f"{path}[]")
    for name, child in node.get("$defs", {}).items():
        yield from properties(child, name)


ALL = dict(properties(SCHEMA))


def test_it_is_one() -> None:
    """Draft 2020-12."""
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("path", ALL)
def test_a_field_is_described_and_shown(path: str) -> None:
    """With an example that is valid itself, unless it holds other fields or lists its values."""
    field = ALL[path]
    assert field["description"]
    if {"const", "enum", "$ref", "properties"} & set(field) or "properties" in field.get(
        "items", {}
    ):
        return
    if path in (".details", ".result"):
        return
    (example,) = field["examples"]
    jsonschema.Draft202012Validator(field).validate(example)


@pytest.mark.parametrize("path", [path for path in ALL if path.endswith(tuple(UNITS))])
def test_a_unit_in_a_name_stands_in_the_description(path: str) -> None:
    """And a description with a unit belongs to a name with one."""
    unit = next(unit for end, unit in UNITS.items() if path.endswith(end))
    if not path.endswith("_per_s"):
        assert unit in ALL[path]["description"]


def test_every_tag_has_its_form() -> None:
    """A result of another form is not valid under it."""
    record = valid(job(Tag="Translation", State="Success"))
    validator = jsonschema.Draft202012Validator(SCHEMA)
    validator.validate(record)
    for tag in TAGS:
        assert not validator.is_valid(record | {"tag": tag, "result": {"made": "up"}})
    assert not validator.is_valid(record | {"kind": "workflow", "tag": None})
    assert not validator.is_valid(record | {"kind": "review", "tag": None})


def test_every_reference_leads_somewhere() -> None:
    """Shared groups are defined once."""
    text = str(SCHEMA)
    for name in {part.split("'")[0] for part in text.split("'#/$defs/")[1:]}:
        assert name in SCHEMA["$defs"]
    assert {"media_info", "media_result", "digital_watermark"} <= set(SCHEMA["$defs"])
