"""What CI echoes of a request and nobody else should read.

A secret is known by its name, wherever it is: under a tag or in a form of request that no page
shows, too. The names are those of the SDKs' structs and what is named like them.
"""

from __future__ import annotations

from collections.abc import Mapping

from handler.callback import path_trie, tree
from handler.callback.path_trie import PathTrie
from handler.callback.tree import Tree

REDACTED = "[redacted]"

SECRET_NAMES = frozenset(
    {
        "DocPassword",  # DocProcess, 436/54056
        "UnCompressKey",  # FileUncompressConfig and FileCompressConfig, 436/83111
        "CompressKey",
        "UriKey",  # HlsEncrypt and DashEncrypt: submit page of Segment; GO, JAVA, IOS
        "PlainText",  # JAVA HlsEncrypt: the key itself, and the key as KMS encrypted it
        "CiphertextBlob",
        "DecryptKey",  # JAVA MediaJobOperation
        "DecryptIv",
        "EncryptKey",
        "EncryptIv",
        "MasterPlayKey",  # GO PlayKey
        "BackupPlayKey",
        "IV",  # GO Encryption, of a review's input; its Key is known by its path
    }
)
"""Names of the SDKs' structs."""

SECRET_NODES = (
    "Operation.TtsConfig.Input",
    "Operation.JobParam.TtsConfig.Input",
    "Encryption.Key",
    "Input.Encryption.Key",
)
"""What is a secret at its path only, since much else has the same name, as paths below JobsDetail.

TtsConfig.Input: the text to be spoken, or the name of the object that holds it.
"""

_LIKE_SECRETS: Mapping[str, tuple[str, ...]] = {
    "password": ("",),
    "passwd": ("",),
    "passphrase": ("",),
    "secret": ("",),
    "signature": ("",),
    "key": (
        *("crypt", "cipher", "aes", "compress", "uri", "play", "sign"),
        *("secret", "private", "access", "api"),
    ),
    "iv": ("crypt", "cipher", "aes"),
    "token": ("access", "session", "security", "auth", "play", "sign", "bearer"),
}
"""Names like those of secrets: what they end with, and one of the words that they hold besides, in
any case. CosHeaders.Key, KeyId, NextToken and TokenId are none."""

_WHOLE_NAMES = frozenset({"iv", "token"})

_ENDINGS = frozenset(
    ending for word in _LIKE_SECRETS for ending in (word[-2:], word[-2:].upper(), word[-2:].title())
)
"""The last two letters of such names: most names have others, and cost no more."""

ENDINGS = tuple(_LIKE_SECRETS)
"""What the name of a secret ends with, in lower case, unless it is one of SECRET_NAMES."""

_SECRETS = path_trie.build(SECRET_NODES)
_NOTHING: PathTrie = {}

_KNOWN: dict[str, bool] = {}
_MAX_KNOWN, _MAX_KNOWN_CHARS = 2_000, 64
"""Names that were looked at, and whether they are secret: a callback has some fifty of the same few
hundred, and looking at each again would double the time of this walk."""


def is_secret(name: str) -> bool:
    """Whether a node of this name holds a secret, wherever it is."""
    if name in SECRET_NAMES:
        return True
    if name[-2:] not in _ENDINGS:
        return False
    lower = name.lower()
    return lower in _WHOLE_NAMES or any(
        lower.endswith(ending) and any(word in lower for word in words)
        for ending, words in _LIKE_SECRETS.items()
    )


def redact(node: Tree, secret: PathTrie = _SECRETS) -> Tree:
    """A copy with [redacted] in place of each secret. What is empty stays so, to show that there
    was none."""
    if isinstance(node, list):
        return [redact(one, secret) for one in node]
    if not isinstance(node, dict):
        return node
    clean: dict[str, Tree] = {}
    for name, value in node.items():
        hidden = _KNOWN.get(name)
        if hidden is None:
            hidden = _learn(name)
        further = secret.get(name)
        if hidden or (further is not None and "" in further):
            clean[name] = value if tree.is_blank(value) else REDACTED
        elif isinstance(value, str):
            clean[name] = value
        else:
            clean[name] = redact(value, further or _NOTHING)
    return clean


def _learn(name: str) -> bool:
    """is_secret, remembered for as many names as CI has."""
    hidden = is_secret(name)
    if len(_KNOWN) < _MAX_KNOWN and len(name) <= _MAX_KNOWN_CHARS:
        _KNOWN[name] = hidden
    return hidden
