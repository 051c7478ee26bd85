"""HTML and SVG out of values: whatever is not Safe is escaped, so nothing gets in unescaped."""

from __future__ import annotations

from html import escape

from ci_callback.terminal import visible_lines


class Safe(str):
    """Markup. Only `el` and `join` make it, and the page for its own style sheets."""

    __slots__ = ()


def el(name: str, /, *children: object, **attributes: object) -> Safe:
    """An element. A child is markup if it is Safe, text otherwise; None and False leave an
    attribute out, True gives one without a value. `class_` is class, `aria_label` aria-label."""
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{"" if value is True else escape(_text(value))}"'
        for key, value in attributes.items()
        if value is not None and value is not False
    )
    if not children and name in _VOID:
        return Safe(f"<{name}{written}/>")
    return Safe(f"<{name}{written}>{join(*children)}</{name}>")


def join(*parts: object) -> Safe:
    """Parts behind one another."""
    return Safe("".join(part if isinstance(part, Safe) else escape(_text(part)) for part in parts))


def _text(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.2f}".rstrip("0").rstrip(".")
    return visible_lines(str(value))


_VOID = frozenset({"rect", "line", "path", "circle", "meta", "br"})
