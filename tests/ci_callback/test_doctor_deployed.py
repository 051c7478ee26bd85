"""`doctor` on the settings of the deployed function, as SCF has them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from ci_callback.ci_simulator.fixtures import SECRET_ID, SECRET_KEY
from ci_callback.cloud_simulator import CloudSimulator
from ci_callback.cloud_simulator.scf_function import DEFAULTS, Function, Version
from ci_callback.doctor import on_deployed
from ci_callback.doctor.case import Case, Target
from ci_callback.doctor.findings import Finding
from handler.http_client import HttpClient
from handler.settings import Settings

LEDGER, TOKEN = "cos://records-1250000000/ci", "token-of-the-function"
MINE = {
    "LEDGER_URL": LEDGER,
    "CALLBACK_TOKENS": TOKEN,
    "COS_REGION": "ap-guangzhou",
    "TENCENTCLOUD_SECRETID": SECRET_ID,
    "TENCENTCLOUD_SECRETKEY": SECRET_KEY,
}


@pytest.fixture
def account() -> Iterator[CloudSimulator]:
    """One with the function, well."""
    with CloudSimulator() as made:
        settings = {**DEFAULTS, "MemorySize": 256, "Timeout": 55, "Role": "r"}
        version = Version(settings, b"")
        made.scf.functions["ci-callback"] = Function("ci-callback", version, "1250000000-x")
        set_variables(made, LEDGER_URL=LEDGER, CALLBACK_TOKENS=TOKEN)
        yield made


def set_variables(account: CloudSimulator, **variables: str) -> None:
    """The environment of the function."""
    pairs = [{"Key": name, "Value": value} for name, value in variables.items()]
    account.scf.functions["ci-callback"].latest.settings["Environment"] = {"Variables": pairs}


def found(account: CloudSimulator, **env: str) -> list[Finding]:
    """What doctor finds."""
    client = HttpClient()
    target = Target("ci-callback", scf_endpoint=account.endpoint)
    try:
        return on_deployed.settings(
            Case(Settings.from_env(MINE | env), target, client, lambda: 0.0)
        )
    finally:
        client.close()


def test_a_function_with_the_settings_of_this_machine_is_well(account: CloudSimulator) -> None:
    """Of the version that callbacks reach."""
    (finding,) = found(account)
    assert (finding.status, "has those of this machine" in finding.what) == ("ok", True)


@pytest.mark.parametrize(
    ("change", "status", "words"),
    [
        ({"Role": ""}, "fault", "has no role"),
        ({"MemorySize": 128}, "warning", "128 MB of memory"),
        ({"Timeout": 60}, "warning", "a time limit of 60 s"),
    ],
)
def test_settings_of_the_platform_that_do_not_fit(
    account: CloudSimulator, change: dict[str, Any], status: str, words: str
) -> None:
    """With the command that shows what serverless.yml says."""
    account.scf.functions["ci-callback"].latest.settings.update(change)
    (finding,) = found(account)
    assert (finding.status, words in finding.what) == (status, True)
    assert "deploy --dry-run" in finding.fix


def test_a_function_that_is_not_active(account: CloudSimulator) -> None:
    """As its state has it."""
    account.scf.functions["ci-callback"].latest.change("Updating", 5)
    (finding,) = found(account)
    assert (finding.status, "Updating" in finding.what) == ("fault", True)


def test_an_environment_in_which_it_answers_503(account: CloudSimulator) -> None:
    """The variables are named, and no value."""
    set_variables(account, CALLBACK_TOKENS=TOKEN, ALERT_LANG="klingon")
    (finding,) = found(account)
    assert finding.status == "fault"
    assert "LEDGER_URL" in finding.what
    assert "ALERT_LANG" in finding.what
    assert "klingon" not in finding.what


def test_another_ledger_and_other_tokens_than_this_machines(account: CloudSimulator) -> None:
    """Neither token is shown."""
    other = "another-token-of-the-function"
    set_variables(account, LEDGER_URL="cos://other-1250000000/ci", CALLBACK_TOKENS=other)
    ledger, tokens = found(account)
    assert (ledger.status, tokens.status) == ("fault", "warning")
    assert "LEDGER_URL" in ledger.what
    assert other not in tokens.what
    assert TOKEN not in tokens.what


@pytest.mark.parametrize(
    ("code", "fix"), [("UnauthorizedOperation.CAM", "scf:GetFunction"), ("InternalError", "")]
)
def test_where_scf_does_not_show_it_it_is_skipped(
    account: CloudSimulator, code: str, fix: str
) -> None:
    """The right is the operator's."""
    account.faults.refuse("GetFunction", code)
    (finding,) = found(account)
    assert (finding.status, code in finding.what, fix in finding.fix) == ("skipped", True, True)
