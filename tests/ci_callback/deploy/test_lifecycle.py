"""`deploy --expire-days`: lifecycle rules of the ledger's bucket."""

from __future__ import annotations

import re

import pytest
from typer.testing import CliRunner

from ci_callback.commands import registry
from ci_callback.deploy import lifecycle
from ci_callback.deploy.errors import EXIT_UNREACHABLE, DeployError
from ci_callback.deploy.plan import Choices
from ci_callback.devserver.local_cloud import LocalCloud
from handler.ledger import keys
from tests.ci_callback.deploy.world import World
from tests.fake_cos import Fault

THEIRS = (
    "<Rule><ID>theirs</ID><Filter><And><Prefix>logs/</Prefix><Tag><Key>a</Key><Value>b</Value></Tag>"
    "</And></Filter><Status>Enabled</Status><Transition><Days>30</Days><StorageClass>STANDARD_IA"
    "</StorageClass></Transition><Transition><Days>90</Days><StorageClass>ARCHIVE</StorageClass>"
    "</Transition><AbortIncompleteMultipartUpload><DaysAfterInitiation>7</DaysAfterInitiation>"
    "</AbortIncompleteMultipartUpload></Rule>"
)


def configured(*rules: str) -> bytes:
    """As COS answers."""
    return f"<LifecycleConfiguration>{''.join(rules)}</LifecycleConfiguration>".encode()


def deploy(world: World, days: int = 90) -> list[str]:
    """What of the plan is about the lifecycle."""
    outcome = world.deploy(world.job(choices=Choices(expire_days=days)))
    return [one.what for one in outcome.plan.differences if one.what.startswith("lifecycle")]


def rules(world: World) -> dict[str, str]:
    """Prefix → days, of deploy's own."""
    text = world.cos.lifecycle.decode()
    own = re.findall(rf"<Rule><ID>{lifecycle.MARK}.*?</Rule>", text)
    pattern = (
        "<Prefix>(.*?)</Prefix></Filter><Status>Enabled</Status><Expiration><Days>(.*?)</Days>"
    )
    return {found[1]: found[2] for rule in own if (found := re.search(pattern, rule))}


def test_what_is_needed_for_a_while_expires_and_a_second_run_changes_nothing(world: World) -> None:
    """Below the ledger's prefix, from the table of keys."""
    assert len(deploy(world)) == len(keys.EXPIRING)
    assert rules(world) == {f"ci/{prefix}": "90" for prefix in keys.EXPIRING}
    before = world.cos.lifecycle
    world.forget()
    assert deploy(world) == []
    assert world.cos.lifecycle == before
    assert len(deploy(world, 60)) == len(keys.EXPIRING)
    assert set(rules(world).values()) == {"60"}


def test_nothing_that_must_stay_expires() -> None:
    """Records, what proves an attempt, and what waits to be dealt with."""
    must_stay = {
        keys.JOBS,
        keys.WORKFLOWS,
        keys.REVIEWS,
        keys.ATTEMPTS,
        keys.LINEAGE,
        keys.FINALS,
        keys.OUTBOX,
        keys.EVENTS,
        keys.PENDING,
        keys.DIGESTS,
        keys.DEAD,
        keys.SPILL,
        keys.RECONCILE,
        keys.CONNECTIONS,
        keys.DESTINATIONS,
        keys.COMPACTED,
        keys.LEASES,
        keys.FORWARD_LEASES,
    }
    assert must_stay | keys.EXPIRING == keys.PREFIXES.keys()
    assert not must_stay & keys.EXPIRING


def test_other_rules_of_the_bucket_stay_as_they_are(world: World) -> None:
    """PUT replaces all of them: each is sent back whole."""
    world.cos.lifecycle = configured(THEIRS)
    deploy(world)
    assert THEIRS in world.cos.lifecycle.decode()
    assert len(rules(world)) == len(keys.EXPIRING)


def test_a_rule_of_others_for_the_same_prefix_is_left_and_listed(world: World) -> None:
    """Two rules of one prefix would contradict each other."""
    theirs = (
        "<Rule><ID>done</ID><Filter><Prefix>ci/_done/</Prefix></Filter><Status>Enabled</Status>"
        "<Expiration><Days>400</Days></Expiration></Rule>"
    )
    world.cos.lifecycle = configured(theirs)
    assert "lifecycle of ci/_done/" not in deploy(world)
    assert theirs in world.cos.lifecycle.decode()
    assert "ci/_done/" not in rules(world)
    (note,) = world.look(world.job(choices=Choices(expire_days=90))).plan.notes
    assert "ci/_done/" in note


def test_a_dry_run_shows_it_and_writes_nothing(world: World) -> None:
    """And without the option the rules are not asked for."""
    plan = world.look(world.job(choices=Choices(expire_days=90))).plan
    assert [call.action for call in plan.calls][-1] == lifecycle.PUT
    assert world.cos.lifecycle == b""
    world.cos.refuse_lifecycle = "AccessDenied"
    world.deploy()
    assert world.cos.lifecycle == b""


def test_a_rule_that_was_switched_off_is_put_right(world: World) -> None:
    """It is deploy's own."""
    deploy(world)
    world.cos.lifecycle = world.cos.lifecycle.replace(b"Enabled", b"Disabled", 1)
    assert len(deploy(world)) == 1
    assert b"Disabled" not in world.cos.lifecycle


def test_a_refusal_names_the_right(world: World) -> None:
    """To read, and to write; and no answer is another thing."""
    world.cos.refuse_lifecycle = "AccessDenied"
    with pytest.raises(DeployError, match="cos:GetBucketLifecycle"):
        deploy(world)
    job = world.job()
    world.deploy(job)
    operator = job.operator
    world.cos.refuse_lifecycle = "AccessDenied"
    with pytest.raises(DeployError, match="cos:PutBucketLifecycle"):
        lifecycle.put(operator, {"Rule": []})
    with pytest.raises(DeployError, match="1,001 lifecycle rules"):
        lifecycle.put(operator, {"Rule": [{}] * 1_001})
    with pytest.raises(DeployError, match="can't be sent back"):
        lifecycle.put(operator, {"Rule": [{"@xmlns": "x"}]})
    with world.cos.faulty(lambda seen: Fault(reset_before=True)):
        with pytest.raises(DeployError) as raised:
            lifecycle.look(operator, 90)
        assert raised.value.exit == EXIT_UNREACHABLE
        with pytest.raises(DeployError) as raised:
            lifecycle.put(operator, {"Rule": []})
        assert raised.value.exit == EXIT_UNREACHABLE


def test_the_command_takes_it_in_a_rehearsal(cloud: LocalCloud) -> None:
    """Signed, and with the digest that COS wants; a month is the least."""
    env = {"LEDGER_URL": cloud.ledger, "COS_REGION": cloud.region, "NO_COLOR": "1"}
    arguments = ["deploy", "--to", cloud.url, "--zip", "empty.zip", "--no-verify"]
    short = CliRunner().invoke(registry.app, [*arguments, "--expire-days", "7"], env=env)
    assert (short.exit_code, "at least 30" in short.stderr) == (2, True)
    first = CliRunner().invoke(registry.app, [*arguments, "--expire-days", "90"], env=env)
    assert first.exit_code == 0, first.output
    assert "lifecycle of ci/_done/" in first.stdout
    again = CliRunner().invoke(
        registry.app, [*arguments, "--expire-days", "90", "--dry-run"], env=env
    )
    assert (again.exit_code, "nothing differs" in again.stdout) == (0, True), again.output


def test_two_ledgers_of_a_bucket_have_rules_of_their_own() -> None:
    """Else each deploy would take the other's away, of ledgers named ci/a and ci-a."""
    ids = [
        rule["ID"]
        for prefix in ("ci/a/", "ci-a/", "ci.a/")
        for rule in lifecycle.wanted(prefix, 90)
    ]
    assert len(set(ids)) == len(ids)
    assert max(len(rule["ID"]) for rule in lifecycle.wanted("a" * 200 + "/", 90)) <= 255
