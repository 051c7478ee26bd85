"""docs/architecture.md: which module may import which, and that all of handler/ is needed."""

from __future__ import annotations

from pathlib import Path

import grimp
from importlinter.cli import EXIT_STATUS_SUCCESS, lint_imports

from handler.callback.catalogue import TAGS

ROOT = Path(__file__).parents[1]
ENTRY = "handler.app"
"""What index.py imports, and nothing else."""


def reached(graph: grimp.ImportGraph) -> set[str]:
    """The modules that are imported, at once or where first used, from the entry file on; with
    the packages that they are in."""
    # Rows of the catalogue name the module of their result's table; Tag.result imports it.
    named = {
        f"handler.callback.results.{tag.table.partition('.')[0]}"
        for tag in TAGS.values()
        if isinstance(tag.table, str) and tag.table
    }
    starts = {ENTRY, *named}
    modules = starts.union(*map(graph.find_upstream_modules, starts))
    packages = {
        ".".join(module.split(".")[:depth])
        for module in modules
        for depth in range(1, module.count(".") + 1)
    }
    return modules | packages


def test_imports_run_as_the_diagram_shows() -> None:
    """The contracts of pyproject.toml: `lint-imports` prints what breaks one."""
    assert lint_imports(str(ROOT / "pyproject.toml"), no_cache=True) == EXIT_STATUS_SUCCESS


def test_every_module_of_the_function_is_reached_from_its_entry() -> None:
    """What is not belongs to the tool, or nowhere: handler/ is deployed whole."""
    graph = grimp.build_graph("handler", exclude_type_checking_imports=True, cache_dir=None)
    assert "\nfrom handler.app import main_handler\n" in (ROOT / "index.py").read_text(
        encoding="utf-8"
    )
    assert graph.modules - reached(graph) == set()
