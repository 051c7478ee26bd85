"""The errors that the service answers with."""

from __future__ import annotations


class ApiError(Exception):
    """An answer that is an error. code: the service's name for it."""

    def __init__(self, code: str, message: str = "") -> None:
        self.code = code
        self.message = message
        super().__init__(f"{code}: {message}")
