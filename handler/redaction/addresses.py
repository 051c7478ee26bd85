"""Which parts of an address are secret: of a channel, or of RETRY_CALLBACK_URL."""

from __future__ import annotations

import re
from collections.abc import Iterator

MIN_TOKEN_CHARS = 6
"""A shorter part of an address, such as `v=1`, is not treated as a secret: replacing it
everywhere would make texts unreadable."""

MIN_PASSWORD_CHARS = 3
"""The same for passwords and signing secrets, which are always secret."""

_PLAIN_SEGMENTS = frozenset(
    (
        *("alerts", "callback", "cgi-bin", "events", "generic", "incoming", "IncomingWebhook"),
        *("integrations", "manual", "message", "messages", "notify", "open-apis", "sendMessage"),
        *("services", "triggers", "webhook", "webhookb2", "webhooks", "workflows"),
    )
)
"""Path segments that the services' documents show in every address. Every other segment of
MIN_TOKEN_CHARS and more counts as a key, wherever it is and whatever it is made of."""

_APPRISE_DELIMITERS = r"[/:@?&=#,]+"


def url_secrets(url: str) -> tuple[str, ...]:
    """Every text that must not be shown of an address, as written and percent-decoded.

    The address as a whole, user and password (also as Basic sends both), each path segment that is
    not a plain word, the values of the query, and those of the fragment except `service`. Never
    raises; of an address that can't be parsed only the whole is returned.
    """
    from urllib.parse import unquote  # 2 ms of a cold start that needs no address

    parts = dict.fromkeys((url, *_parts(url)))
    return tuple(dict.fromkeys(form for part in parts for form in (part, unquote(part)) if form))


def _parts(url: str) -> Iterator[str]:
    from urllib.parse import urlsplit

    if url[:8].lower() == "apprise:":
        # Each service that Apprise knows puts its keys in a place of its own, the host included.
        yield from _tokens(re.split(_APPRISE_DELIMITERS, url[8:]))
        return
    try:
        parts = urlsplit(url)
    except ValueError:
        return
    query = (_value(pair) for pair in parts.query.split("&"))
    yield from _tokens((parts.username or "", *query, *parts.path.split("/")))
    if parts.username is not None:
        yield _basic(parts.username, parts.password or "")
    fragment = (pair.partition("=") for pair in parts.fragment.split("&"))
    passwords = (parts.password or "", *(value for name, _, value in fragment if name != "service"))
    yield from (word for word in passwords if len(word) >= MIN_PASSWORD_CHARS)


def _basic(user: str, password: str) -> str:
    import base64
    from urllib.parse import unquote

    return base64.b64encode(
        f"{unquote(user)}:{unquote(password)}".encode("utf-8", "replace")
    ).decode("ascii")


def _value(pair: str) -> str:
    name, equals, value = pair.partition("=")
    return value if equals else name


def _tokens(parts: tuple[str, ...] | list[str]) -> Iterator[str]:
    for part in parts:
        if len(part) >= MIN_TOKEN_CHARS and part not in _PLAIN_SEGMENTS:
            yield part
