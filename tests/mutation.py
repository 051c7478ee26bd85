"""How the tests run under mutmut (pyproject.toml names this as a plugin of pytest).

The same examples each time, and none made smaller: that a mutant is found out is enough. Tests of
properties come last, since most mutants don't live that long.
"""

from __future__ import annotations

import pytest
from hypothesis import Phase, settings

settings.register_profile(
    "mutation", settings.get_profile("ci"), phases=(Phase.explicit, Phase.generate)
)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Order them; those of one kind stay as they were."""
    items.sort(key=lambda item: hasattr(getattr(item, "obj", None), "hypothesis"))
