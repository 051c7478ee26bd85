"""What readers believe of an object in the ledger: what the function writes, and nothing else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from ci_callback.commands.registry import app
from ci_callback.ledger_checks import checked
from ci_callback.query.columns import published
from handler.callback.record import JobRecord
from handler.ledger.attempts import Attempt
from handler.ledger.folder import FolderStore
from handler.ledger.outbox import Ticket
from tests.conftest import PAYLOADS, Invoked
from tests.records import DAY, record

NAN = float("nan")
ODD: list[Any] = ["[/b]", "", None, 7, -1, 0.5, True, NAN, 10**400, [], ["x"], {}, {"a": 1}]


def test_what_the_function_writes_is_believed(on_disk: Invoked, ledger: Path) -> None:
    """Each record of each payload."""
    for path in sorted(path for path in PAYLOADS.rglob("*") if path.suffix in (".json", ".xml")):
        on_disk.post(path.read_bytes())
    store = FolderStore(ledger)
    kept = [key for folder in ("jobs/", "workflows/", "reviews/") for key in store.list(folder)]
    assert len(kept) > 40
    for key in kept:
        made = JobRecord.from_json(store.get(key) or b"")
        assert checked(made) is made


@pytest.mark.parametrize("name", JobRecord._fields)
@pytest.mark.parametrize("odd", ODD, ids=lambda odd: repr(odd)[:12])
def test_a_record_with_an_odd_field_is_refused_or_stays_readable(name: str, odd: Any) -> None:
    """Refused by the field's name; believed only where the field's type has such a value."""
    made = record("j1")._replace(**{name: odd})
    if type(odd) in allowed(name) and not is_odd_within(name, odd):
        assert checked(made) is made
    else:
        with pytest.raises(ValueError, match=name):
            checked(made)


def is_odd_within(name: str, odd: Any) -> bool:
    """Whether a value of the right type is none that the function writes."""
    too_large = name in ("wait_s", "run_s") and odd == 10**400
    return odd is NAN or too_large or (name == "outputs" and odd == ["x"])


TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "object": (dict,),
    "array": (list,),
    "null": (type(None),),
}


def allowed(name: str) -> tuple[type, ...]:
    """Types that the published schema gives a field. A time is no text of the odd ones."""
    schema = published()["properties"][name]
    kinds = schema.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else list(kinds)
    if "pattern" in schema or name == "retry":
        kinds = [kind for kind in kinds if kind == "null"]
    return tuple(python_type for kind in kinds for python_type in TYPES[kind])


@pytest.mark.parametrize(
    "made",
    [
        Attempt("submitting", "[b]", "x"),  # type: ignore[arg-type]  # odd on purpose
        Attempt("odd", 1, "x"),  # type: ignore[arg-type]  # as above
        Attempt("submitted", 1, "x", created_at="soon"),
        Attempt("submitted", 1, "x", job_id=7),  # type: ignore[arg-type]  # as above
        Ticket(5, "j1", "failed"),  # type: ignore[arg-type]  # as above
        Ticket("retry", "j1", "failed", due="now"),  # type: ignore[arg-type]  # as above
        Ticket("retry", "j1", "failed", details=[]),  # type: ignore[arg-type]  # as above
        Ticket("retry", "j1", "failed", tries=True),
    ],
    ids=repr,
)
def test_a_ticket_or_attempt_with_an_odd_field_is_refused(made: Any) -> None:
    """As a record is."""
    with pytest.raises(ValueError, match=r"can't hold|not a time"):
        checked(made)


COMMANDS = (
    ("jobs",),
    ("jobs", "--json"),
    ("jobs", "--since", "2026-01-01", "--failed"),
    ("show", "j1"),
    ("show", "j1", "--json"),
    ("retries", "--made"),
    ("retries", "--made", "--json"),
    ("report", "--json"),
    ("compact", "--all-stale"),
    ("sweep", "--dry-run"),
    ("dead", "list"),
)

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda within: st.lists(within, max_size=2) | st.dictionaries(st.text(max_size=3), within),
    max_leaves=4,
)


def no_stack_trace(data: st.DataObject, command: tuple[str, ...], folder: Path) -> None:
    """Any field of any object that a reader opens, replaced by any JSON."""
    objects: dict[str, Any] = {
        f"jobs/dt={DAY}/j1.json": record("j1", outcome="failed").values(),
        "_attempts/j1/02.json": json.loads(
            json.dumps({"schema": "attempt/1"} | Attempt("submitted", 1, "x")._asdict())
        ),
        "_lineage/j1.json": {"root_job_id": "j0", "attempt": 2},
        "_outbox/0000000001-j1-failed-retry.json": json.loads(
            Ticket("retry", "j1", "failed", 1, record("j1", outcome="failed")).to_json()
        ),
        f"_dead/dt={DAY}/{'a' * 64}.json": {"schema": "dead-letter/1", "body_base64": ""},
        f"_dead/dt={DAY}/{'a' * 64}.json.replayed.json": {"at": "2026-09-20T08:00:00Z"},
        f"compacted/dt={DAY}/_manifest.json": {
            "schema": "compaction/1",
            "day": DAY,
            "names": ["j1.json"],
            "part": {"name": "x", "bytes": 1, "tail": ""},
        },
    }
    key = data.draw(st.sampled_from(sorted(objects)))
    field = data.draw(st.sampled_from([*objects[key], None]))
    value = data.draw(json_values)
    if field is None:
        objects[key] = value
    else:
        objects[key][field] = value
    store = FolderStore(folder)
    for name, values in objects.items():
        store.put(name, json.dumps(values).encode())
    done = CliRunner().invoke(app, command, env={"LEDGER_URL": f"file:{folder}"})
    assert done.exception is None or isinstance(done.exception, SystemExit), (
        command,
        key,
        field,
        value,
        done.exc_info,
    )


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data(), command=st.sampled_from(COMMANDS))
def test_no_command_ends_in_a_stack_trace_for_an_odd_object(
    data: st.DataObject, command: tuple[str, ...], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A sample."""
    no_stack_trace(data, command, tmp_path_factory.mktemp("odd"))


@pytest.mark.slow
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data(), command=st.sampled_from(COMMANDS))
def test_none_of_many_odd_objects_ends_a_command_in_a_stack_trace(
    data: st.DataObject, command: tuple[str, ...], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Six times as many."""
    no_stack_trace(data, command, tmp_path_factory.mktemp("odd"))
