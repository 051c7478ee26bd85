"""lineage.py: the marker in UserData."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handler.callback.lineage import USER_DATA_MAX_CHARS, Lineage, Marker, attach, detach

ascii_text = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=900)
markers = st.builds(
    Marker,
    st.builds(
        Lineage,
        st.text(st.characters(codec="utf-8"), min_size=1, max_size=12),
        st.integers(1, 9999),
    ),
    st.text("0123456789abcdef", min_size=16, max_size=16),
)
NONCE = "00c0ffee00c0ffee"


@given(ascii_text, markers)
def test_what_is_attached_comes_off_again(own: str, marker: Marker) -> None:
    """The user's own text is left as it was."""
    marked = attach(own, marker)
    assert marked is not None
    assert detach(marked) == (own or None, marker)


@given(markers)
def test_the_marker_is_made_of_harmless_characters_alone(marker: Marker) -> None:
    """Whether CI echoes < and & unharmed is not known."""
    assert re.fullmatch(r"[A-Za-z0-9._:/=-]+", str(marker))


@pytest.mark.parametrize(
    ("written", "root"), [("j1.-_", "j1.-_"), ("=E8=AF=91=3A", "译:"), ("a=FF", "a\ufffd")]
)
def test_what_is_escaped_in_a_root_is_read_back(written: str, root: str) -> None:
    """By its bytes in UTF-8; what somebody else wrote there raises nothing."""
    marker = Marker(Lineage(root, 12), NONCE)
    assert detach(f"mine/ci-retry:{written}:12:{NONCE}") == ("mine", marker)


def test_no_room_is_said() -> None:
    """CI takes 1,024 characters; the marker never displaces the user's text."""
    marker = Marker(Lineage("j1", 2), NONCE)
    room = USER_DATA_MAX_CHARS - len(str(marker))
    assert attach("x" * room, marker) is not None
    assert attach("x" * (room + 1), marker) is None


def test_text_that_only_looks_like_a_marker_is_left_alone() -> None:
    """A marker is at the very end and has a root, an attempt and a nonce."""
    marker = f"/ci-retry:j1:2:{NONCE}"
    for text in (
        "",
        None,
        "/ci-retry:",
        "/ci-retry:j1:2",
        marker[:-1],
        f"{marker} ",
        f"{marker}\n",
    ):
        assert detach(text) == (text, None)
