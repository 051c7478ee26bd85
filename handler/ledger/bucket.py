"""Where a bucket is, and as whom: what settings say of it, without the SDK."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Credentials:
    """Keys of a CAM identity; session_token is "" for permanent ones. Never printed."""

    secret_id: str = field(repr=False)
    secret_key: str = field(repr=False)
    session_token: str = field(repr=False)


@dataclass(frozen=True)
class Place:
    """Where the bucket is. prefix is "" or ends with a slash."""

    bucket: str
    prefix: str
    region: str
    endpoint: tuple[str, int] | None = None
    """Host and port to connect to by plain http in COS's place, for tests; Host stays COS's."""
