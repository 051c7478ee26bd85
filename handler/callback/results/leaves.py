"""Single values of a result, each with its type and unit. Tables of fields consist of them."""

from __future__ import annotations

from handler.callback import converters
from handler.callback.results.fields import MOMENT, Json, Leaf, Values, ValueType

_TEXT = ValueType("string", lambda sent: sent)
KEY = ValueType("string", converters.as_key)
_BOOLEAN = ValueType("boolean", converters.as_boolean)
_BIT_RATE = ValueType("integer", converters.as_bit_rate, "bits per second")
_SECONDS_OF_MS = ValueType("number", converters.in_seconds, "seconds")
_ETAG = ValueType("string", converters.unquoted)
_TIME = ValueType("string", converters.as_moment, pattern=MOMENT)


def text(path: str, about: str, example: str) -> Leaf:
    """The text as it was sent."""
    return Leaf(path, about, example, _TEXT)


def texts(path: str, about: str, example: list[Json]) -> Values:
    """Texts as they were sent."""
    return Values(path, about, example, _TEXT)


def key(path: str, about: str, example: str) -> Leaf:
    """The key of an object in COS."""
    return Leaf(path, about, example, KEY)


def integer(path: str, about: str, example: int, unit: str = "") -> Leaf:
    """A whole number."""
    return Leaf(path, about, example, ValueType("integer", converters.integer, unit))


def integers(path: str, about: str, example: list[Json], unit: str = "") -> Values:
    """Whole numbers."""
    return Values(path, about, example, ValueType("integer", converters.integer, unit))


def number(path: str, about: str, example: float, unit: str = "") -> Leaf:
    """A number that may have a fraction."""
    return Leaf(path, about, example, ValueType("number", converters.number, unit))


def seconds(path: str, about: str, example: float) -> Leaf:
    """A time span, or a time within a recording, that CI sends in seconds."""
    return number(path, about, example, "seconds")


def seconds_of_ms(path: str, about: str, example: float) -> Leaf:
    """The same where CI sends milliseconds."""
    return Leaf(path, about, example, _SECONDS_OF_MS)


def boolean(path: str, about: str, example: bool = False) -> Leaf:
    """true and false, or 1 and 0, in any case."""
    return Leaf(path, about, example, _BOOLEAN)


def ratio(path: str, about: str, example: float, unit: str = "") -> Leaf:
    """A number, or two with a slash between them: 25.000000, 50/1."""
    return Leaf(path, about, example, ValueType("number", converters.as_ratio, unit))


def bit_rate(path: str, about: str, example: int) -> Leaf:
    """A bit rate; converters.as_bit_rate says how its unit is found."""
    return Leaf(path, about, example, _BIT_RATE)


def moment(path: str, about: str, example: str) -> Leaf:
    """A time with its offset, as RFC 3339 in UTC."""
    about = f"{about}. RFC 3339 in UTC"
    return Leaf(path, about, example, _TIME)


def etag(path: str) -> Leaf:
    """An ETag; CI sends it with its quotes in one place and without in another."""
    example = "d5a491cd3d8d071e3212c3478e8e35a1"
    return Leaf(path, "ETag, without its quotes", example, _ETAG)
