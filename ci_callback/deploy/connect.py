"""CI's queues call the function: what stands there, what is to stand there, and back again.

A queue's settings are read before they are written: PUT takes Name, State and NotifyConfig together
(436/54046 and the page of each kind), and Name and State are sent back as they were. What stood
there goes into the ledger before anything is changed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from ci_callback.deploy.errors import EXIT_UNREACHABLE, DeployError
from ci_callback.doctor.case import CONSOLE, Case
from ci_callback.doctor.ci_api import ask, put
from ci_callback.doctor.on_queues import KINDS
from handler.callback import tree
from handler.callback.tree import Tree
from handler.ci_api.client import CiError
from handler.ledger import keys
from handler.ledger.store import Store

SCHEMA = "connections/1"
JOB_END, RUN_END = "TaskFinish", "WorkflowFinish"
_MEMBERS = ("State", "Url", "Type", "Event", "ResultFormat", "MqMode", "MqRegion", "MqName")
_DOCUMENT = "document"

BY_HAND = (
    f"a workflow that has a callback of its own: {CONSOLE}/ci, Workflows, Callback settings",
    f"moderation: {CONSOLE}/ci, Moderation settings of the bucket",
    "jobs that name an address in CallBack: in the code that submits them",
)
"""What goes before a queue's setting, and is set by its owner."""


@dataclass(frozen=True)
class Queue:
    """kind: of doctor's table. config: its NotifyConfig, each member a text."""

    kind: str
    queue_id: str
    name: str
    state: str
    config: Mapping[str, str] = field(repr=False)

    @property
    def shown(self) -> str:
        """What it calls, without what may open a door."""
        if self.config.get("State") != "On":
            return "nothing"
        if self.config.get("Type") not in ("", "Url", None):
            return f"a message queue ({self.config['Type']})"
        return host_of(self.config.get("Url", "")) or "nothing"


@dataclass(frozen=True)
class Connection:
    """A queue, and the NotifyConfig that it is to have."""

    queue: Queue
    config: Mapping[str, str] = field(repr=False)

    @property
    def is_foreign(self) -> bool:
        """Whether it calls another address now, which would be replaced."""
        now = self.queue.shown
        return now not in ("nothing", host_of(self.config.get("Url", "")))


def host_of(url: str) -> str:
    """The host of an address; "" where it has none."""
    try:
        return (urlsplit(url).hostname or "").lower()
    except ValueError:
        return ""


def read(case: Case, kinds: Sequence[str] = ()) -> tuple[list[Queue], list[str]]:
    """The queues of the bucket, and why those of a kind are not known. kinds: () for all.

    Raises:
        DeployError: CI gave no answer.
    """
    queues: list[Queue] = []
    unknown: list[str] = []
    for kind in kinds or tuple(KINDS):
        row = KINDS[kind]
        try:
            response = ask(case, row.path, dict(row.params))
        except CiError as error:
            if error.status is None:
                fix = "is there a network? Run it again"
                raise DeployError(f"CI gave no answer: {error}", fix, EXIT_UNREACHABLE) from error
            unknown.append(f"{kind}: {error}")
            continue
        queues += [_queue(kind, listed) for listed in tree.get_all(response, "QueueList")]
    return queues, unknown


def _queue(kind: str, listed: Tree) -> Queue:
    def text(path: str) -> str:
        return tree.text(listed, path) or ""

    config = {name: text(f"NotifyConfig.{name}") for name in _MEMBERS}
    return Queue(kind, text("QueueId"), text("Name"), text("State"), config)


def plan(queues: Sequence[Queue], address: str) -> list[Connection]:
    """What is to be changed so that each queue calls an address with its token; [] where all do."""
    return list(_differences(queues, address))


def _differences(queues: Sequence[Queue], address: str) -> Iterator[Connection]:
    for queue in queues:
        now = queue.config
        events = [event for event in now.get("Event", "").split(",") if event]
        wanted = {
            "State": "On",
            "Type": "Url",
            "Url": address,
            "Event": ",".join(dict.fromkeys([*events, JOB_END])),
            "ResultFormat": now.get("ResultFormat") or "XML",
        }
        if queue.kind == "media" and RUN_END not in events:
            wanted["Event"] += f",{RUN_END}"
        if any(now.get(name, "") != value for name, value in wanted.items()):
            yield Connection(queue, wanted)


def apply(case: Case, store: Store, connections: Sequence[Connection]) -> None:
    """Change the queues, after what stood there is in the ledger.

    Raises:
        StoreError, CiError
    """
    key = _key(case)
    before = _kept(store.get(key))
    for connection in connections:
        queue = connection.queue
        # What stood there before the first change is what is brought back.
        before.setdefault(queue.queue_id, {"kind": queue.kind, "config": dict(queue.config)})
    store.put(key, json.dumps({"schema": SCHEMA, "queues": before}).encode())
    move(case, connections)


def move(case: Case, connections: Sequence[Connection]) -> None:
    """Change the queues; nothing is kept of what stood there. May raise CiError."""
    for connection in connections:
        _put(case, connection.queue, connection.config)


def undo(case: Case, store: Store, address: str) -> tuple[list[Queue], list[str]]:
    """Bring back what stood in each queue that still calls the address; those that were changed,
    and why those of a kind are not known. What stood there is kept until all are known.

    Raises:
        StoreError, CiError
        DeployError: nothing is known of an earlier state.
    """
    before = _kept(store.get(_key(case)))
    if not before:
        what = "no earlier settings of the queues are in the ledger"
        raise DeployError(what, "`deploy connect` keeps them when it changes a queue")
    queues, unknown = read(case)
    mine = [
        queue for queue in queues if queue.queue_id in before and queue.shown == host_of(address)
    ]
    for queue in mine:
        _put(case, queue, before[queue.queue_id]["config"])
    if not unknown:
        store.delete(_key(case))
    return mine, unknown


def token_of(url: str) -> str:
    """The token of an address, "" where it has none."""
    return next(iter(parse_qs(urlsplit(url).query).get("token", [])), "")


def _put(case: Case, queue: Queue, config: Mapping[str, str]) -> None:
    notify: dict[str, Tree] = {name: value for name, value in config.items() if value}
    request: dict[str, Tree] = {"Name": queue.name, "State": queue.state}
    if queue.kind == _DOCUMENT:
        request["QueueID"] = queue.queue_id
    request["NotifyConfig"] = notify or {"State": "Off"}
    put(case, f"{KINDS[queue.kind].path}/{queue.queue_id}", {"Request": request})


def _key(case: Case) -> str:
    bucket = case.settings.ci_bucket or case.settings.ledger_url.bucket
    return f"{keys.CONNECTIONS}{bucket}.json"


def _kept(line: bytes | None) -> dict[str, Any]:
    values: Any = json.loads(line) if line else {}
    queues = values.get("queues") if values.get("schema") == SCHEMA else None
    return queues if isinstance(queues, dict) else {}
