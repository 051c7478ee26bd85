"""Imports requests without its warning that charset-normalizer is missing. The bundle leaves that
package out: nothing here lets requests guess an encoding, and it costs 8 ms of a cold start."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator


@contextlib.contextmanager
def importing_requests() -> Iterator[None]:
    """Around the first import of requests, or of a module that imports it."""
    import warnings

    with warnings.catch_warnings():
        # By its text: the category is requests' own, and can't be named before it is imported.
        warnings.filterwarnings("ignore", "Unable to find acceptable character detection")
        yield
