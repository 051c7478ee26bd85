"""What CI echoes of a request and nobody else should read."""

from __future__ import annotations

from handler.callback import path_trie, tree
from handler.callback.path_trie import PathTrie
from handler.callback.tree import Tree

REDACTED = "[redacted]"

SECRET_NAMES = frozenset({"DocPassword", "UnCompressKey", "CompressKey", "UriKey"})
"""Nodes that hold a secret wherever they stand: under a tag or a form of request that no page
shows, too. TtsConfig.Input is known by its path only, since much else is called Input."""

SECRET_NODES = (
    "Operation.DocProcess.DocPassword",
    "Operation.FileUncompressConfig.UnCompressKey",
    "Operation.FileCompressConfig.CompressKey",
    "Operation.Segment.HlsEncrypt.UriKey",
    "Operation.Transcode.TransConfig.HlsEncrypt.UriKey",
    "Operation.VideoEnhance.Transcode.TransConfig.HlsEncrypt.UriKey",
    "Operation.TtsConfig.Input",
)
"""The same as paths below JobsDetail.

HlsEncrypt: submit page of Segment, and Request.TransConfig of the transcoding template.
TtsConfig.Input: the text to be spoken, or the name of the object that holds it.
"""

_SECRETS = path_trie.build(SECRET_NODES)


def redact(node: Tree, secret: PathTrie = _SECRETS) -> Tree:
    """A copy with [redacted] in place of each secret. What is empty stays so, to show that there
    was none."""
    if isinstance(node, list):
        return [redact(one, secret) for one in node]
    if not isinstance(node, dict):
        return node
    clean: dict[str, Tree] = {}
    for name, value in node.items():
        further = secret.get(name, {})
        if name in SECRET_NAMES or "" in further:
            clean[name] = value if tree.is_blank(value) else REDACTED
        elif isinstance(value, str):
            clean[name] = value
        else:
            clean[name] = redact(value, further)
    return clean
