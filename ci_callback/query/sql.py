"""How values are written into SQL, where a statement takes no parameters."""

from __future__ import annotations

from pathlib import Path


def text(value: str) -> str:
    """A text."""
    return "'" + value.replace("'", "''") + "'"


def path_text(path: Path) -> str:
    """A path as a text. Special characters of a glob are escaped."""
    return text("".join(f"[{c}]" if c in "*?[" else c for c in path.resolve().as_posix()))
