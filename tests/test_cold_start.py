"""What keeps the start of a process short, besides the list of modules (cold_modules.py)."""

from __future__ import annotations

import importlib
from typing import ForwardRef

import pytest

from tests import cold_modules

MODULES = sorted(name for name in cold_modules.REFUSED if name.startswith("handler"))


@pytest.mark.parametrize("name", MODULES)
def test_a_refused_request_compiles_no_annotation(name: str) -> None:
    """typing.NamedTuple compiles each annotation that is a text, and the first of a process takes
    ten million instructions, a fourteenth of a refused request. So the modules that such a request
    imports, and that make named tuples, have no `from __future__ import annotations`; an annotation
    of a method that must be a text is quoted."""
    module = importlib.import_module(name)
    made = [
        value
        for value in vars(module).values()
        if isinstance(value, type) and hasattr(value, "_fields") and value.__module__ == name
    ]
    compiled = {
        f"{named.__name__}.{field}"
        for named in made
        for field, kind in named.__annotations__.items()
        if isinstance(kind, ForwardRef)
    }
    assert compiled == set()
