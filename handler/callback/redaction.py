"""The secrets of a request that CI echoes, and that no reader of a record should see.

A secret is known by its name, wherever it is: under a tag or in a form of request that no page
shows, too. The names are those of the SDKs' structs and what is named like them.
"""

from __future__ import annotations

from collections.abc import Mapping

from handler.callback import path_trie, tree
from handler.callback.folding import letters
from handler.callback.path_trie import PathTrie
from handler.callback.redacted import REDACTED
from handler.callback.tree import Tree

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

ADDRESS_NAMES = frozenset({"callback", "callbackurl", "notifyurl"})
"""Letters of the names of the addresses that CI sends callbacks to. Who knows one can send a
callback: the token is part of it. CI is not documented to echo it in a callback or a description of
a job. Other values of such nodes (CallBack: no) are none."""

_LIKE_SECRETS: Mapping[str, tuple[str, ...]] = {
    "password": ("",),
    "passwd": ("",),
    "pwd": ("",),
    "passphrase": ("",),
    "authorization": ("",),
    "cookie": ("",),
    "credential": ("",),
    "credentials": ("",),
    "secret": ("",),
    "signature": ("",),
    "key": (
        *("crypt", "cipher", "aes", "compress", "uri", "play", "sign"),
        *("secret", "private", "access", "api", "auth", "license", "master", "session", "drm"),
    ),
    "iv": ("crypt", "cipher", "aes"),
    "vector": ("init",),
    "token": (
        *("access", "session", "security", "auth", "play", "sign", "bearer", "refresh"),
        *("license", "drm"),
    ),
}
"""Names like those of secrets: what they end with, and one of the words that they hold besides, in
any case. CosHeaders.Key, KeyId, NextToken and TokenId are none."""

_WHOLE_NAMES = frozenset({"token", *map(str.lower, SECRET_NAMES)})

_ENDINGS = frozenset(word[-2:] for word in _LIKE_SECRETS)
"""The last two letters of such names: most names have others, and cost no more."""

ENDINGS = tuple(_LIKE_SECRETS)
"""What the name of a secret ends with, in lower case, unless it is one of SECRET_NAMES."""

_SECRETS = path_trie.build(path.lower() for path in SECRET_NODES)
_NOTHING: PathTrie = {}

_PAIRS = (("Key", "Value"), ("key", "value"), ("Name", "Value"), ("name", "value"))
"""How a list names a thing in one member and has its value in another."""

_KNOWN: dict[str, tuple[bool, str]] = {}
_MAX_KNOWN, _MAX_KNOWN_CHARS = 2_000, 64
"""Names that were looked at: whether they are secret, and their letters. A callback has some fifty
of the same few hundred, and looking at each again would double the time of this walk."""


def is_secret(name: str) -> bool:
    """Whether a node of this name holds a secret, wherever it is. Only the letters of a name count,
    as a reader sees them (folding.py)."""
    return _are_secret(letters(name))


def is_address(value: Tree) -> bool:
    """Whether the value of a node of ADDRESS_NAMES may hold an address, with its token."""
    return not isinstance(value, str) or "//" in value or "?" in value


def redact(node: Tree, secret: PathTrie = _SECRETS) -> Tree:
    """A copy with [redacted] in place of each secret. Empty values stay empty, to show that there
    was none."""
    if isinstance(node, list):
        return [redact(item, secret) for item in node]
    if not isinstance(node, dict):
        return node
    clean: dict[str, Tree] = {}
    pair_value = _value_of_secret(node) if len(node) > 1 else None
    for name, value in node.items():
        hidden, plain = _KNOWN.get(name) or _learn(name)
        further = secret.get(plain)
        if plain in ADDRESS_NAMES:
            hidden = is_address(value)
        if hidden or name == pair_value or (further is not None and "" in further):
            clean[name] = value if tree.is_blank(value) else REDACTED
        elif isinstance(value, str):
            clean[name] = value
        else:
            clean[name] = redact(value, further or _NOTHING)
    return clean


def _value_of_secret(node: dict[str, Tree]) -> str | None:
    """The name of the member that holds the value where another one holds a secret's name, as in
    CosHeaders: {Key: x-cos-security-token, Value: …}."""
    for key, value in _PAIRS:
        if value in node and isinstance(name := node.get(key), str):
            return value if is_secret(name) else None
    return None


def _learn(name: str) -> tuple[bool, str]:
    """Whether a name is secret, and its letters; remembered for as many names as CI has."""
    plain = letters(name)
    known = _are_secret(plain), plain
    if len(_KNOWN) < _MAX_KNOWN and len(name) <= _MAX_KNOWN_CHARS:
        _KNOWN[name] = known
    return known


def _are_secret(plain: str) -> bool:
    if plain in _WHOLE_NAMES:
        return True
    return plain[-2:] in _ENDINGS and any(
        plain.endswith(ending) and any(word in plain for word in words)
        for ending, words in _LIKE_SECRETS.items()
    )
