"""CI's queues and workflows call the function: what stands there, what is to, and back again.

A queue's settings are read before they are written: PUT takes Name, State and NotifyConfig together
(436/54046 and the page of each kind), and Name and State are sent back as they were. What stood
there goes into the ledger before anything is changed. A workflow is read and written as a whole
(workflows.py).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

from ci_callback.deploy import workflows
from ci_callback.deploy.errors import EXIT_FAILED, EXIT_UNREACHABLE, DeployError
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
    f"moderation: {CONSOLE}/ci, Moderation settings of the bucket (CI's API has no request for it)",
    "jobs that name an address in CallBack: in the code that submits them",
)
"""What goes before a queue's setting, and is set by its owner."""


@dataclass(frozen=True)
class Queue:
    """A queue, or a workflow with a callback of its own. kind: of doctor's table, or `workflow`.
    config: its NotifyConfig, each member a text. whole: a workflow as CI showed it."""

    kind: str
    queue_id: str
    name: str
    state: str
    config: Mapping[str, str] = field(repr=False)
    whole: Tree = field(default=None, repr=False)

    @property
    def title(self) -> str:
        """Its name for people."""
        return f"{'' if self.is_workflow else 'queue '}{self.kind} {self.name}"

    @property
    def is_workflow(self) -> bool:
        return self.kind == workflows.KIND

    @property
    def shown(self) -> str:
        """The address that it calls, without parts that may be secret."""
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
    """The queues of the bucket and the workflows with a callback of their own, and why those of a
    kind are not known. kinds: () for all.

    Raises:
        DeployError: CI gave no answer.
    """
    queues: list[Queue] = []
    unknown: list[str] = []
    for kind in kinds or (*KINDS, workflows.KIND):
        try:
            queues += _of_kind(case, kind)
        except CiError as error:
            if error.status is None:
                fix = "check the network, and run it again"
                raise DeployError(f"CI gave no answer: {error}", fix, EXIT_UNREACHABLE) from error
            unknown.append(f"{kind}: {error}")
    return queues, unknown


def _of_kind(case: Case, kind: str) -> list[Queue]:
    """May raise CiError."""
    if kind == workflows.KIND:
        return [_workflow(one) for one in workflows.listed(case) if workflows.has_address(one)]
    row = KINDS[kind]
    response = ask(case, row.path, dict(row.params))
    return [_queue(kind, listed) for listed in tree.get_all(response, "QueueList")]


def _queue(kind: str, listed: Tree) -> Queue:
    queue_id, name, state = _names(listed, "QueueId")
    return Queue(kind, queue_id, name, state, _config(listed, "NotifyConfig"))


def _workflow(listed: Tree) -> Queue:
    workflow_id, name, state = _names(listed, "WorkflowId")
    config = _config(listed, workflows.CONFIG)
    # Older ones have no switch: an address is what switches them on.
    config["State"] = config["State"] or "On"
    return Queue(workflows.KIND, workflow_id, name, state, config, listed)


def _names(listed: Tree, id_name: str) -> list[str]:
    return [tree.text(listed, name) or "" for name in (id_name, "Name", "State")]


def _config(listed: Tree, path: str) -> dict[str, str]:
    return {name: tree.text(listed, f"{path}.{name}") or "" for name in _MEMBERS}


def plan(queues: Sequence[Queue], address: str) -> list[Connection]:
    """The changes by which each queue calls an address with its token; [] if all do."""
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
        if queue.kind in ("media", workflows.KIND) and RUN_END not in events:
            wanted["Event"] += f",{RUN_END}"
        if any(now.get(name, "") != value for name, value in wanted.items()):
            yield Connection(queue, wanted)


def apply(case: Case, store: Store, connections: Sequence[Connection]) -> None:
    """Change the queues, after what stood there is in the ledger.

    Raises:
        StoreError, CiError
    """
    key = _key(case)
    before = _kept(key, store.get(key))
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
    before = _kept(_key(case), store.get(_key(case)))
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
    if queue.is_workflow:
        workflows.update(case, queue.whole, config)
        return
    notify: dict[str, Tree] = {name: value for name, value in config.items() if value}
    request: dict[str, Tree] = {"Name": queue.name, "State": queue.state}
    if queue.kind == _DOCUMENT:
        request["QueueID"] = queue.queue_id
    request["NotifyConfig"] = notify or {"State": "Off"}
    queue_id = quote(queue.queue_id, safe="=")
    put(case, f"{KINDS[queue.kind].path}/{queue_id}", {"Request": request})


def _key(case: Case) -> str:
    bucket = case.settings.ci_bucket or case.settings.ledger_url.bucket
    return f"{keys.CONNECTIONS}{bucket}.json"


def _kept(key: str, line: bytes | None) -> dict[str, Any]:
    """The earlier settings in the ledger; {} if there are none.

    Raises:
        DeployError: it can't be read.
    """
    if line is None:
        return {}
    try:
        values: Any = json.loads(line)
        queues: Any = values["queues"] if values["schema"] == SCHEMA else None
        is_whole = all(_is_config(one["config"]) for one in queues.values())
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        is_whole = False
    if not is_whole:
        what = f"{key} in the ledger is damaged, which holds what CI's queues had before"
        fix = "repair it, or delete it and set the queues by hand in CI's console"
        raise DeployError(what, fix, EXIT_FAILED)
    return dict(queues)


def _is_config(config: Any) -> bool:
    return isinstance(config, dict) and all(
        name in _MEMBERS and isinstance(value, str) for name, value in config.items()
    )
