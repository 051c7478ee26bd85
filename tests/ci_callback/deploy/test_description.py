"""serverless.yml and the environment, read."""

from __future__ import annotations

import pytest

from ci_callback.deploy.description import Description, Names, Timer, Url, read
from ci_callback.deploy.errors import EXIT_SETTINGS, DeployError
from tests.ci_callback.deploy.world import SERVERLESS

ENV = {
    "COS_REGION": "ap-guangzhou",
    "LEDGER_URL": "cos://records-1250000000/ci",
    "ALERT_URLS": "https://example.com/s3cret",
}


def described(
    text: str = SERVERLESS, *, names: Names | None = None, env: dict[str, str] | None = None
) -> Description:
    """What a file says."""
    return read(text, {**ENV, **(env or {})}, names or Names())


def fault(text: str, **env: str) -> DeployError:
    """Why a file can't be deployed."""
    with pytest.raises(DeployError) as raised:
        described(text, env=env)
    assert raised.value.exit == EXIT_SETTINGS
    return raised.value


def test_the_file_of_the_repository_is_read() -> None:
    """Its values, and those of the environment; one that is unset has none."""
    found = described()
    assert (found.name, found.region, found.runtime) == (
        "ci-callback",
        "ap-guangzhou",
        "Python3.10",
    )
    assert (found.handler, found.role) == ("index.main_handler", "")
    assert (found.memory_mb, found.timeout_s, found.init_timeout_s) == (256, 55, 15)
    assert found.is_public
    assert found.variables == {name: ENV[name] for name in ("LEDGER_URL", "ALERT_URLS")}
    assert found.unset == ("CALLBACK_TOKENS", "FORWARD_URLS")
    assert found.url == Url("$DEFAULT", "NONE", extranet=True, intranet=False)
    assert found.timers == (
        Timer("sweep", "$DEFAULT", "0 * * * * * *", "sweep"),
        Timer("reconcile", "$DEFAULT", "0 */30 * * * * *", "reconcile"),
        Timer("forward", "$DEFAULT", "30 * * * * * *", "forward"),
    )


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (Names("other"), "other"),
        (Names(stage="staging"), "ci-callback-staging"),
        (Names("other", "staging"), "other-staging"),
    ],
)
def test_the_command_line_changes_the_name(names: Names, expected: str) -> None:
    """One description, several functions."""
    assert described(names=names).name == expected


@pytest.mark.parametrize("name", ["7up", "a", "a-", "ein name", "x" * 61])
def test_a_name_that_scf_does_not_allow_is_refused(name: str) -> None:
    """Before anything is called."""
    with pytest.raises(DeployError, match="found"):
        described(names=Names(name))


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ("memorySize: 256", "memorySize: '256'", "inputs.memorySize: found a str"),
        ("memorySize: 256", "memorySize: true", "inputs.memorySize: found a bool"),
        ("timeout: 55", "", "inputs.timeout: found nothing"),
        ("runtime: Python3.10", "runtime: 3.10", "inputs.runtime: found a float"),
        ("    - http:", "    - cos:", "inputs.events: found 0 http triggers"),
        ("argument: sweep", "argument: 7", "parameters.argument: found a int"),
        ("variables:", "others:", "inputs.environment.variables: found nothing"),
    ],
)
def test_a_value_of_another_type_is_named_with_its_place(
    before: str, after: str, words: str
) -> None:
    """And its text is not shown: it may be a secret."""
    assert before in SERVERLESS
    error = fault(SERVERLESS.replace(before, after))
    assert words in error.what
    assert "make check-deploy" in error.fix


@pytest.mark.parametrize(
    ("text", "words"),
    [("a: [", "no YAML at line 1"), ("- a", "found a list"), ("", "found nothing")],
)
def test_what_is_no_description_at_all(text: str, words: str) -> None:
    """One line."""
    assert words in fault(text).what


def test_without_a_region_it_says_which_variable() -> None:
    """The file takes it from the environment."""
    error = fault(SERVERLESS, COS_REGION="")
    assert "inputs.region" in error.what
    assert "COS_REGION" in error.fix
