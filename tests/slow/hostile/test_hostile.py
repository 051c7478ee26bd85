"""Every hostile input gets the answer that it must get; and the harness finds out who is bad."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from index import main_handler
from tests.slow.hostile.case import Bait, Case, json_job, kept, post, refused
from tests.slow.hostile.run import (
    FAMILIES,
    PAGE,
    Result,
    each_of,
    is_outdated,
    published_counts,
    run,
    standing_out,
    table,
)

NOWHERE = Bait("http://127.0.0.1:9", "/nowhere", "nothing")


PARTS = 4
"""Of each family, so that several processes can share the work."""


@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("family", FAMILIES)
def test_every_hostile_input_gets_the_answer_that_it_must_get(family: str, part: int) -> None:
    """With no fault, within the bounds of time and memory, and with nothing opened."""
    assert_answered(family, slice(part, None, PARTS))


@pytest.mark.sample
@pytest.mark.parametrize("family", ["XML", "JSON"])
def test_ten_hostile_inputs_get_the_answers_that_they_must_get(family: str) -> None:
    """Five of each format, from all over its family."""
    assert_answered(family, slice(0, 5))


def assert_answered(family: str, part: slice) -> None:
    """Run a part of a family's inputs, and list those that have a fault."""
    with standing_out() as (bait, visits):
        cases = FAMILIES[family](bait)[part]
        results = run(cases, bait, visits, each=each_of(family))
    assert [result.name for result in results] == [case.name for case in cases]
    failed = [f"{result.name}: {'; '.join(result.faults)}" for result in results if result.faults]
    assert not failed, f"{len(failed)} of {len(results)}:\n" + "\n".join(failed)


def test_the_page_shows_as_many_inputs_as_there_are() -> None:
    """`make torture` fails as well where it does not."""
    assert len(published_counts(PAGE)) == len(FAMILIES) + 1
    assert not is_outdated()


def test_there_are_at_least_500_different_inputs() -> None:
    """No event stands twice under two names within a family."""
    count = 0
    for family, cases in FAMILIES.items():
        made = cases(NOWHERE)
        assert len({case.name for case in made}) == len(made), family
        events = {repr((case.event, sorted(case.env.items()))) for case in made}
        count += len(events)
    assert count >= 500


# --- the harness itself: bad functions, and what it says of them ------------------------------


def _good(event: Any, context: Any) -> Any:
    return main_handler(event, context)


def opens_a_file(event: Any, context: Any) -> Any:
    with open("/etc/hostname", "rb"):
        return _good(event, context)


def writes_beside_the_ledger(event: Any, context: Any) -> Any:
    Path(os.environ["LEDGER_URL"].removeprefix("file:") + ".x").write_text("x")
    return _good(event, context)


def opens_a_socket(event: Any, context: Any) -> Any:
    socket.socket().close()
    return _good(event, context)


def starts_a_program(event: Any, context: Any) -> Any:
    subprocess.run([sys.executable, "-c", ""], check=True)
    return _good(event, context)


def is_slow(event: Any, context: Any) -> Any:
    end = time.process_time() + 1.2
    while time.process_time() < end:
        pass
    return _good(event, context)


def is_large(event: Any, context: Any) -> Any:
    # Freed again before the end: it is the peak that counts.
    len(bytes(b"x" * (80 * 1024 * 1024)))
    return _good(event, context)


def is_bad_at_a_path(event: Any, context: Any) -> Any:
    if event["path"] == "/":
        return _good(event, context)
    with open("/etc/hostname", "rb"):
        return is_large(event, context)


def raises(event: Any, context: Any) -> Any:
    raise ValueError("out of the function")


def ends_the_process(event: Any, context: Any) -> Any:
    if event["body"] == GOOD.made()["body"]:
        os._exit(3)


def answers_another_status(event: Any, context: Any) -> Any:
    return _good(event, context) | {"statusCode": 500}


def answers_no_json(event: Any, context: Any) -> Any:
    return _good(event, context) | {"body": "{"}


def prints(event: Any, context: Any) -> Any:
    print("hello\x1b[31m")
    return _good(event, context)


def warns(event: Any, context: Any) -> Any:
    print("careful", file=sys.stderr)
    return _good(event, context)


def keeps_nothing(event: Any, context: Any) -> Any:
    answer = _good(event, context)
    for path in Path(os.environ["LEDGER_URL"].removeprefix("file:")).rglob("*.json"):
        path.unlink()
    return answer


def tells_the_token(event: Any, context: Any) -> Any:
    print('{"level":"INFO","token":"opens-every-door-7f3a"}')
    return _good(event, context)


def fetches_the_address(event: Any, context: Any) -> Any:
    # As code in C would, which no audit hook sees: another process does it.
    address = event["path"].removeprefix("/callback/")
    host, _, port = address.partition(":")
    pid = os.fork()
    if pid == 0:
        try:
            socket.create_connection((host, int(port))).close()
        finally:  # to warm it up, it is called without an address
            os._exit(0)
    os.waitpid(pid, 0)
    return _good({**event, "path": "/"}, context)


def reads_the_bait(event: Any, context: Any) -> Any:
    return {**_good(event, context), "headers": {"X": NOWHERE.text}}


GOOD = kept("a good callback", json_job())


def judged(function: str, case: Case = GOOD) -> Result:
    """What the harness says of a function of this module."""
    (result,) = run([case], NOWHERE, lambda: 0, f"{__name__}:{function}")
    return result


def test_a_good_function_has_no_fault() -> None:
    """So that the tests below can't pass by accident."""
    assert judged("_good").faults == ()


@pytest.mark.parametrize(
    ("function", "fault"),
    [
        ("opens_a_file", "opened open '/etc/hostname'"),
        ("writes_beside_the_ledger", "a file where none belongs: ledger.x"),
        ("opens_a_socket", "opened socket.__new__"),
        ("starts_a_program", "opened subprocess.Popen"),
        ("is_slow", "s, more than 1"),
        ("is_large", "MB, more than 64"),
        ("raises", "ValueError left the function"),
        ("ends_the_process", "the process died"),
        ("answers_another_status", "answered 500, expected 200"),
        ("answers_no_json", "the answer's body is not JSON"),
        ("prints", "not printable ASCII"),
        ("warns", "wrote to stderr"),
        ("keeps_nothing", "told as kept, and not there"),
        ("tells_the_token", "a token is in the log"),
        ("reads_the_bait", "the bait is in the answer"),
    ],
)
def test_a_bad_function_is_found_out(function: str, fault: str) -> None:
    """Each way to be bad has a fault that names it."""
    assert any(fault in text for text in judged(function).faults), judged(function).faults


def test_a_case_that_ends_its_process_spoils_no_other() -> None:
    """The cases behind it go to a process of their own, and each is told, in order."""
    cases = [
        replace(GOOD, name="before", event=post(json_job(JobId="j0"))),
        GOOD,
        replace(GOOD, name="behind", event=post(json_job(JobId="j2"))),
    ]
    results = run(cases, NOWHERE, lambda: 0, f"{__name__}:ends_the_process")
    assert [result.name for result in results] == ["before", GOOD.name, "behind"]
    assert ["died" in "".join(result.faults) for result in results] == [False, True, False]


def test_a_case_is_not_blamed_for_the_one_before_it() -> None:
    """What the first one opened and took is not the second one's, though they share a process."""
    cases = [
        replace(GOOD, name="large", event=post(json_job(), path="/callback")),
        GOOD,
    ]
    large, good = run(cases, NOWHERE, lambda: 0, f"{__name__}:is_bad_at_a_path")
    assert any("MB, more than 64" in text for text in large.faults)
    assert large.opened == 1
    assert (good.faults, good.opened) == ((), 0)


def test_whoever_comes_to_the_bait_is_counted() -> None:
    """Also where no audit hook sees it."""
    with standing_out() as (bait, visits):
        address = bait.url.removeprefix("http://")
        case = replace(GOOD, event=post(json_job(), path=f"/callback/{address}"))
        (result,) = run([case], bait, visits, f"{__name__}:fetches_the_address")
    assert "came to the port of the bait" in result.faults


@pytest.mark.parametrize(
    ("case", "fault"),
    [
        (replace(GOOD, words=("duplicate",)), "told ['kept'], expected ['duplicate']"),
        (replace(GOOD, reason="json_invalid"), "dead letters for []"),
        (replace(GOOD, key="jobs/dt=1970-01-01/j2.json"), "expected jobs/dt=1970-01-01/j2.json"),
        (replace(GOOD, holds={"outcome": "failed"}), "expected 'failed'"),
        (replace(GOOD, holds={"a.b": 1}), "holds 'nothing'"),
        (refused("refused", post(json_job()), 401), "answered 200, expected 401"),
    ],
)
def test_a_wrong_expectation_is_found_out(case: Case, fault: str) -> None:
    """Each column of a case is looked at."""
    assert any(fault in text for text in judged("_good", case).faults)


def test_cases_of_one_name_are_refused() -> None:
    """Each result must be one case's."""
    with pytest.raises(ValueError, match="one name"):
        run([GOOD, GOOD], NOWHERE, lambda: 0)


def test_the_table_counts_what_failed() -> None:
    """In Markdown, a family a row, and all of them at the end."""
    results = {
        "a": [Result("x", (), 0.5, 2**20, 0), Result("y", ("bad",), 0.25, 3 * 2**20, 1)],
        "b": [Result("z", (), 0.125, 0, 0)],
    }
    assert table(results).splitlines()[2:] == [
        "| a | 2 | 1 | 500 | 3 | 1 |",
        "| b | 1 | 1 | 125 | 0 | 0 |",
        "| all | 3 | 2 | 500 | 3 | 1 |",
    ]
