"""Changes to an input that leave its body well formed: raw ones seldom get past a parser.

One in three changes is libFuzzer's own, of single bytes. The others read the body as a tree,
change some of its nodes, and write it again, as XML or as JSON.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from typing import Any, TypeAlias

from handler.callback import payload
from handler.errors import PayloadError
from tests.callback.twins import as_json, as_xml
from tests.slow.fuzz.events import CHOICES, HEAD_CHARS
from tests.slow.fuzz.seeds import bodies, words
from tests.slow.fuzz.trees import for_xml

Bytes: TypeAlias = Callable[[bytes, int], bytes]
"""libFuzzer's own change of bytes, to at most so many of them."""


class Mutator:
    """head_chars: how many bytes before the body choose what is done with it."""

    def __init__(self, head_chars: int, raw: Bytes) -> None:
        self.head_chars = head_chars
        self._raw = raw

    def __call__(self, data: bytes, max_size: int, seed: int) -> bytes:
        """A changed input; the same for the same seed."""
        dice = random.Random(seed)
        head, body = data[: self.head_chars], data[self.head_chars :]
        if self.head_chars and dice.random() < 0.3:
            head = _changed_head(dice, head.ljust(self.head_chars, b"0"))
        tree = _tree(body) if dice.random() < 0.67 else None
        if tree is None:
            body = self._raw(body, max(max_size - len(head), 1))
        else:
            for _ in range(dice.choice((1, 1, 2, 4))):
                self._change(dice, tree)
            body = _written(dice, tree[""], body[:1] == b"<")
        return (head + body)[:max_size]

    def _change(self, dice: random.Random, tree: dict[str, Any]) -> None:
        """Change one node. The tree is the only value of a dict, so that its root can change."""
        places = _places(tree)
        at, name = dice.choice(places)
        other, other_name = dice.choice(places)
        names, leaves = words()
        act = dice.randrange(9)
        if act == 0 and at is not tree:
            del at[name]
        elif act == 1:
            at[name] = dice.choice(leaves)
        elif act == 2:
            leaf = at[name] if isinstance(at[name], str) else dice.choice(leaves)
            at[name] = self._raw(leaf.encode("utf-8", "replace"), 200).decode("utf-8", "replace")
        elif act == 3:
            at[name] = [_copy(at[name])] * dice.choice((0, 1, 2, 2, 3, 101))
        elif act == 4:
            at[name] = _copy(other[other_name])
        elif act == 5 and isinstance(at, dict) and at is not tree:
            at[dice.choice(names)] = at.pop(name)
        elif act == 6 and (node := _object_near(at, name, tree)) is not None:
            node[dice.choice(names)] = dice.choice((_copy(other[other_name]), dice.choice(leaves)))
        elif act == 7:
            at[name] = {dice.choice(names): _copy(at[name])}
        elif act == 8:
            donor = {"": _tree(dice.choice(bodies()))}
            donor_at, donor_name = dice.choice(_places(donor))
            at[name] = _copy(donor_at[donor_name])


def mutator(target: str, raw: Bytes) -> Mutator:
    """The one for a target."""
    return Mutator(HEAD_CHARS if target == "event" else 0, raw)


def _changed_head(dice: random.Random, head: bytes) -> bytes:
    at = dice.randrange(len(head))
    return head[:at] + bytes([0x30 + dice.randrange(len(CHOICES[at]))]) + head[at + 1 :]


def _tree(body: bytes) -> dict[str, Any] | None:
    """{"": the body as a tree}; None where it can't be read."""
    try:
        tree, _ = payload.parse(body, payload.Limits(max_nodes=2_000))
    except PayloadError:
        return None
    if isinstance(tree, dict) and set(tree) == {"Response"}:
        tree = tree["Response"]
    return {"": tree}


def _places(tree: Any) -> list[tuple[Any, Any]]:
    """Where each node stands: what holds it, and its name or number there."""
    places: list[tuple[Any, Any]] = []
    level = [tree]
    while level:
        holder = level.pop()
        pairs = list(holder.items() if isinstance(holder, dict) else enumerate(holder))
        places += [(holder, name) for name, _ in pairs]
        level += [value for _, value in pairs if isinstance(value, (dict, list))]
    return places


def _object_near(at: Any, name: Any, tree: dict[str, Any]) -> dict[str, Any] | None:
    """The object at a place, else the one that holds it; None where that is the tree's holder."""
    node = at[name] if isinstance(at[name], dict) else at
    return node if isinstance(node, dict) and node is not tree else None


def _copy(node: Any) -> Any:
    return json.loads(json.dumps(node))


def _written(dice: random.Random, root: Any, was_xml: bool) -> bytes:
    is_xml = was_xml if dice.random() < 0.8 else not was_xml
    if is_xml and isinstance(root, dict):
        written = as_xml(for_xml(root))
        # Now and then without its root, as one page prints it.
        return written if dice.random() < 0.95 else written[len("<Response>") : -len("</Response>")]
    return as_json(root)
