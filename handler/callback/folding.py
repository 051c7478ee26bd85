r"""Names as a reader sees them: what can't be seen is left out, and a letter that looks like one of
ASCII is that one.

A secret may be named Doc\u200bPassword, D\u043ecPassword with a Cyrillic letter, or DocPassword in
full-width letters. On a page these look like DocPassword, and a parser keeps them.
"""

from __future__ import annotations

import re

INVISIBLE = (
    "\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\xad\u0300-\u036f\u061c\u115f\u1160\u17b4\u17b5"
    "\u180b-\u180f\u1ab0-\u1aff\u1dc0-\u1dff\u200b-\u200f\u202a-\u202e\u2060-\u206f\u20d0-\u20ff"
    "\u3164\ufe00-\ufe0f\ufe20-\ufe2f\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3"
    "\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
"""For a class of a regular expression: control characters other than blanks, Unicode's
Default_Ignorable_Code_Point, and marks that are printed over or under a letter."""

_SAME_SHAPE = (
    "\u0131\u0251\u0261\u0391\u0392\u0395\u0396\u0397\u0399\u039a\u039c\u039d\u039f\u03a1"
    "\u03a4\u03a5\u03a7\u03b1\u03b9\u03ba\u03bd\u03bf\u03c1\u03c5\u03c7\u03f2\u0405\u0406"
    "\u0408\u0410\u0412\u0415\u041a\u041c\u041d\u041e\u0420\u0421\u0422\u0423\u0425\u0430"
    "\u0435\u043a\u043c\u043e\u0440\u0441\u0442\u0443\u0445\u0455\u0456\u0458\u0474\u0475"
    "\u04bb\u0501\u051b\u051c\u051d"
)
_ASCII_SHAPE = "iagABEZHIKMNOPTYXaikvopuxcSIJABEKMHOPCTYXaekmopctyxsijVvhdqWw"
"""Latin, Greek and Cyrillic letters, and those of ASCII that are printed like them, in order."""

LOOK_ALIKES = (
    f"{_SAME_SHAPE}"
    "\xaa\xba\xc0-\u012f\u0134-\u024f\u02b0-\u02b8\u02e1-\u02e3\u1d2c-\u1d6a\u1e00-\u1eff"
    "\u2070-\u209c\u2100-\u2149\u2160-\u217f\u249c-\u24e9\uff10-\uff19\uff21-\uff3a\uff3f"
    "\uff41-\uff5a\U0001d400-\U0001d7ff\U0001f110-\U0001f149"
)
"""For a class of a regular expression: letters and digits that `fold` makes those of ASCII.
Full-width and mathematical letters, for example; letters with accents too."""

_ASCII = str.maketrans(_SAME_SHAPE, _ASCII_SHAPE)
_OTHERS = f"[^\x00-\x7f{LOOK_ALIKES}]+"
_NO_LETTERS = r"[^a-z]+"


def fold(text: str) -> str:
    """A text with letters of ASCII in place of their look-alikes, and without what is not ASCII
    then. One character becomes at most four."""
    import unicodedata  # nearly every name is ASCII: no cold start pays for this, or for _OTHERS

    # Without the others first: one of them can become 18 characters.
    decomposed = unicodedata.normalize("NFKD", re.sub(_OTHERS, "", text))
    return decomposed.translate(_ASCII).encode("ascii", "ignore").decode("ascii")


def letters(name: str) -> str:
    """The letters of a name, in lower case: docPassword, doc_password and DOC-PASSWORD are one."""
    if name.isascii():
        return name.lower() if name.isalpha() else re.sub(_NO_LETTERS, "", name.lower())
    return re.sub(_NO_LETTERS, "", fold(name).lower())
