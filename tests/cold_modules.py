"""The modules that a cold start may import: each is a part of the time that a callback waits.

A module that is missing here is either imported where it is not needed, or is to be added with a
look at `make bench`. Of the standard library and of packages the first part of a name is listed;
the C halves of modules, whose names begin with an underscore, are not.
"""

from __future__ import annotations

REFUSED = frozenset(
    {
        *("collections", "contextlib", "copyreg", "encodings", "enum", "functools", "genericpath"),
        *("hashlib", "hmac", "index", "itertools", "json", "keyword", "operator", "os"),
        *("posixpath", "re", "reprlib", "sre_compile", "sre_constants", "sre_parse", "stat"),
        *("types", "typing", "warnings"),
        *("handler", "handler.app", "handler.clock", "handler.errors", "handler.log"),
        "handler.http_interface",
        *("handler.callback", "handler.callback.limits", "handler.callback.redacted"),
        *("handler.ledger", "handler.ledger.bucket", "handler.ledger.store"),
        *("handler.redaction", "handler.redaction.addresses", "handler.run"),
        *("handler.settings", "handler.settings.readers", "handler.settings.rows"),
        *("handler.stores", "handler.triggers", "handler.triggers.bodies"),
        *("handler.triggers.direct", "handler.triggers.http", "handler.triggers.queue"),
        "handler.triggers.timer",
    }
)
"""Of a request with a wrong token."""

NETWORK = frozenset(
    {
        *("array", "atexit", "base64", "binascii", "datetime", "errno", "http", "ipaddress"),
        *("math", "select", "selectors", "socket", "struct", "urllib", "weakref"),
    }
)
"""What socket and urllib.parse import in one version of Python or another, and http, for its
statuses. Over TLS it is ssl besides; never http.client, which imports email."""

KEPT = (
    REFUSED
    | NETWORK
    | {
        *("importlib", "threading"),
        *(
            "handler.answers",
            "handler.connections",
            "handler.parallel",
            "handler.policy",
            "handler.failure_codes",
        ),
        *("handler.sockets", "handler.callback.added_nodes", "handler.callback.catalogue"),
        *("handler.callback.common_fields", "handler.callback.converters"),
        *("handler.callback.details", "handler.callback.envelope", "handler.callback.families"),
        *("handler.callback.folding", "handler.callback.lineage", "handler.callback.outcome"),
        *("handler.callback.outputs", "handler.callback.path_trie", "handler.callback.payload"),
        *("handler.callback.record", "handler.callback.redaction", "handler.callback.results"),
        *("handler.callback.results.content", "handler.callback.results.fields"),
        *("handler.callback.results.leaves", "handler.callback.tag", "handler.callback.tree"),
        *("handler.ingest", "handler.ingest.callbacks", "handler.ingest.fallback"),
        *("handler.ingest.received", "handler.ingest.recorder", "handler.ledger.cos"),
        *("handler.ledger.cos_errors", "handler.ledger.dead_letters", "handler.ledger.keys"),
        *("handler.ledger.outbox", "handler.ledger.records", "handler.ledger.signature"),
        "handler.ledger.transport",
    }
)
"""Of a SplitVideoParts or a Translation that is kept in COS, whatever its body's form."""

KEPT_JSON = KEPT | {"handler.callback.json_body"}
KEPT_XML = KEPT | {"copy", "defusedxml", "handler.callback.xml_body", "pyexpat", "xml"}
"""copy is imported by xml.etree.ElementTree, and that by defusedxml."""


def named(module: str) -> str:
    """A module as it is listed here; "" for the C half of one."""
    top = module.partition(".")[0]
    return module if top == "handler" else "" if top.startswith("_") else top
