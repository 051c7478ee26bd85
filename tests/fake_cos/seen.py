"""A request as FakeCos saw it."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import parse_qsl
from xml.etree import ElementTree


@dataclass(frozen=True)
class Seen:
    """A request that arrived. key: decoded, without the first slash. Header names are in lower
    case."""

    method: str
    key: str
    query: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def params(self) -> dict[str, str]:
        """The decoded query."""
        return dict(parse_qsl(self.query, keep_blank_values=True))

    @property
    def deleted_keys(self) -> list[str]:
        """The keys that a deletion of several objects names; none of another request."""
        if self.method != "POST" or "delete" not in self.params:
            return []
        keys = ElementTree.fromstring(self.body).iter("Key")
        return [key.text or "" for key in keys]
