"""The input of a job as the record holds it, with its types."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from handler.callback.results.fields import Json


class Input(NamedTuple):
    """The input of a job; "" where the callback does not say."""

    bucket: str = ""
    region: str = ""
    object: str = ""
    url: str = ""
    headers: Mapping[str, str] = {}

    @classmethod
    def of(cls, stored: Json) -> Input:
        """The `input` of a record; all is "" for null, and for what is no object.

        A ledger's file may hold anything: a value that is not text counts as absent.
        """
        if not isinstance(stored, dict):
            return cls()
        texts = {
            name: value
            for name in ("bucket", "region", "object", "url")
            if isinstance(value := stored.get(name), str)
        }
        headers = stored.get("headers")
        named = headers.items() if isinstance(headers, dict) else ()
        return cls(
            **texts, headers={name: value for name, value in named if isinstance(value, str)}
        )
