"""The bill of materials beside the bundle: CycloneDX, complete, the same for the same bundle."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import cyclonedx.schema
import pytest
from jsonschema import Draft7Validator
from referencing import Registry, Resource

from tools.bill_of_materials import bill_of_materials
from tools.bundle import LEFT_OUT

ROOT = Path(__file__).parents[1]
REQUIREMENTS = (ROOT / "requirements.txt").read_text("utf-8")
SCHEMAS = Path(cyclonedx.schema.__file__).parent / "_res"


@pytest.fixture(scope="module")
def validator() -> Draft7Validator:
    """The standard's own schema, with the two that it refers to."""
    names = ("spdx.SNAPSHOT.schema.json", "jsf-0.82.SNAPSHOT.schema.json")
    read = {name: json.loads((SCHEMAS / name).read_text("utf-8")) for name in names}
    base = "http://cyclonedx.org/schema/"
    registry: Registry[Any] = Registry().with_resources(
        [(f"{base}{name}", Resource.from_contents(schema)) for name, schema in read.items()]
    )
    schema = json.loads((SCHEMAS / "bom-1.6.SNAPSHOT.schema.json").read_text("utf-8"))
    return Draft7Validator(schema, registry=registry)


def test_it_is_what_the_standard_asks_for(validator: Draft7Validator) -> None:
    """The schema of CycloneDX 1.6 finds nothing wrong; nor does it pass anything."""
    document = json.loads(bill_of_materials(REQUIREMENTS, LEFT_OUT, "0.2.0", b"zip"))
    assert [error.message for error in validator.iter_errors(document)] == []
    assert list(validator.iter_errors(document | {"components": [{"name": "x"}]}))


def test_it_names_what_is_in_the_bundle_and_nothing_else() -> None:
    """The packages of requirements.txt but those that are left out, each with its address."""
    document = json.loads(bill_of_materials(REQUIREMENTS, LEFT_OUT, "0.2.0", b"zip"))
    addresses = {component["purl"] for component in document["components"]}
    assert "pkg:pypi/cos-python-sdk-v5@1.9.44" in addresses
    assert "pkg:pypi/defusedxml@0.7.1" in addresses
    assert not any(name in address for name in LEFT_OUT for address in addresses)
    pins = [line for line in REQUIREMENTS.splitlines() if "==" in line and line[0] not in " #"]
    assert len(addresses) == len(pins) - len(LEFT_OUT)


def test_it_belongs_to_one_zip() -> None:
    """By its SHA-256; the same zip gives the same document, another zip another."""
    document, again, other = (
        bill_of_materials(REQUIREMENTS, LEFT_OUT, "0.2.0", archive)
        for archive in (b"1", b"1", b"2")
    )
    assert document == again
    assert json.loads(document)["serialNumber"] != json.loads(other)["serialNumber"]
    own = json.loads(document)["metadata"]["component"]
    assert own["hashes"] == [{"alg": "SHA-256", "content": hashlib.sha256(b"1").hexdigest()}]
