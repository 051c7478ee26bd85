"""Limits on the cost of a body: apart from the parser, which a refused request does not need."""

from typing import NamedTuple


class Limits(NamedTuple):
    """Limits on the cost of a body. All are inclusive."""

    max_bytes: int = 2_097_152
    max_nodes: int = 80_000
    max_depth: int = 64
    max_tag_bytes: int = 64 * 1024
    max_name_chars: int = 1024
