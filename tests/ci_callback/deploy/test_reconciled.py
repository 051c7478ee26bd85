"""`deploy connect` notes the queues that call the function: reconciliation follows."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from ci_callback.ci_simulator import BUCKET
from ci_callback.ci_simulator.queues import Queues
from ci_callback.deploy import reconciled
from ci_callback.devserver.local_cloud import LocalCloud
from handler.settings import ConnectedQueue
from handler.settings.readers import connected_queues
from tests.ci_callback.deploy.test_connect import FOREIGN, run
from tests.ci_callback.deploy.world import SERVERLESS

KNOWN = (ConnectedQueue("p1", "2026-01-01T00:00:00Z"), ConnectedQueue("p2", "2026-01-02T00:00:00Z"))
NOW = 1_795_776_000.5


def noted(cloud: LocalCloud) -> tuple[ConnectedQueue, ...]:
    """RECONCILE_QUEUES of the version that callbacks reach."""
    (function,) = cloud.account.scf.functions.values()
    pairs = function.version("$DEFAULT").settings["Environment"]["Variables"]
    found = [pair["Value"] for pair in pairs if pair["Key"] == "RECONCILE_QUEUES"]
    return connected_queues(found[0]) if found else ()


@pytest.fixture
def deployed(cloud: LocalCloud) -> LocalCloud:
    """An account with the function."""
    assert run(cloud, "--zip", "own.zip", "--no-verify").exit_code == 0
    return cloud


def test_a_queue_keeps_the_time_of_its_first_connection() -> None:
    """A new one gets this moment; what CI did not show stays; what calls no more goes."""
    assert reconciled.value(KNOWN, ["p1", "p3"], ["p1", "p3"], NOW) == (
        "p1@2026-01-01T00:00:00Z,p2@2026-01-02T00:00:00Z,p3@2026-11-27T10:40:00Z"
    )
    assert reconciled.value(KNOWN, ["p1"], ["p1", "p2"], NOW) == "p1@2026-01-01T00:00:00Z"
    assert reconciled.value(KNOWN, [], ["p1", "p2"], NOW) == ""


def test_connect_notes_each_queue_once(deployed: LocalCloud) -> None:
    """The second run changes nothing, nor does a deployment, not even one that prunes."""
    run(deployed, "connect")
    first = noted(deployed)
    queues = {queue["QueueId"] for path in deployed.queues.by_path.values() for queue in path}
    assert {queue.queue_id for queue in first} == queues
    assert {queue.since[:10] for queue in first} == {time.strftime("%Y-%m-%d", time.gmtime())}
    deployed.account.seen.clear()
    assert run(deployed, "connect").exit_code == 0
    assert run(deployed, "--zip", "own.zip", "--no-verify").exit_code == 0
    assert run(deployed, "--zip", "own.zip", "--no-verify", "--prune").exit_code == 0
    assert deployed.account.writes == []
    assert noted(deployed) == first


def test_a_run_that_died_before_it_noted_is_finished_by_the_next(
    deployed: LocalCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The queues call already, and none is changed then."""

    def die(*asked: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(reconciled, "calls", die)
        run(deployed, "connect")
    assert noted(deployed) == ()
    dry = run(deployed, "connect", "--dry-run")
    assert (dry.exit_code, "RECONCILE_QUEUES" in dry.stdout) == (2, True)
    again = run(deployed, "connect")
    assert (again.exit_code, "0 changed" in again.stdout) == (0, True)
    assert len(noted(deployed)) == 7


def test_a_function_whose_alias_is_on_latest_keeps_it_there(deployed: LocalCloud) -> None:
    """As Terraform or the console leave it: what they upload next reaches callbacks at once."""
    (function,) = deployed.account.scf.functions.values()
    function.aliases["$DEFAULT"] = "$LATEST"
    versions = set(function.versions)
    assert run(deployed, "connect").exit_code == 0
    assert run(deployed, "rotate-token").exit_code == 0
    assert len(noted(deployed)) == 7
    assert (function.aliases["$DEFAULT"], set(function.versions)) == ("$LATEST", versions)


def test_a_queue_that_stays_with_others_is_not_noted(deployed: LocalCloud) -> None:
    """Nor one that was given back."""
    (picture,) = deployed.queues.by_path["/picqueue"]
    picture["NotifyConfig"] = dict(FOREIGN)
    run(deployed, "connect", answer="n\n")
    assert picture["QueueId"] not in {queue.queue_id for queue in noted(deployed)}
    assert len(noted(deployed)) == 6
    run(deployed, "connect", "--undo")
    assert noted(deployed) == ()


def test_one_kind_leaves_the_others_as_they_are_noted(deployed: LocalCloud) -> None:
    """CI was not asked about them."""
    run(deployed, "connect")
    before = noted(deployed)
    run(deployed, "connect", "--queue", "media")
    assert noted(deployed) == before


def test_a_value_that_the_description_gives_is_left_alone(deployed: LocalCloud) -> None:
    """Each deployment goes by it."""
    text = SERVERLESS.replace(
        "      LEDGER_URL: ${env:LEDGER_URL}",
        "      LEDGER_URL: ${env:LEDGER_URL}\n      RECONCILE_QUEUES: p9@2026-01-01T00:00:00Z",
    )
    Path("own.yml").write_text(text)
    result = run(deployed, "--file", "own.yml", "--zip", "own.zip", "--no-verify", "--connect")
    assert "it stays as it is" in result.stdout
    assert noted(deployed) == (ConnectedQueue("p9", "2026-01-01T00:00:00Z"),)


def test_the_stand_in_names_queues_as_the_setting_takes_them() -> None:
    """Letters and digits."""
    (queue,) = Queues(BUCKET).by_path["/asrqueue"]
    text = f"{queue['QueueId']}@2026-11-27T10:40:00Z"
    assert connected_queues(text) == (ConnectedQueue(queue["QueueId"], "2026-11-27T10:40:00Z"),)
