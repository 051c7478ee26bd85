"""settings.py: the environment, read once, with every problem told."""

from __future__ import annotations

from pathlib import Path

import pytest

from handler.callback.payload import Limits
from handler.errors import SettingsError
from handler.ledger.bucket import Credentials
from handler.settings import ConnectedQueue, Settings, StoreUrl, tokens_from_env

SCF = {
    "TENCENTCLOUD_RUNENV": "SCF",
    "LEDGER_URL": "cos://records-1250000000/ci",
    "CALLBACK_TOKENS": "first-token,second-token",
    "COS_REGION": "ap-guangzhou",
    "TENCENTCLOUD_SECRETID": "AKIDexample",
    "TENCENTCLOUD_SECRETKEY": "example-secret-key",
    "TENCENTCLOUD_SESSIONTOKEN": "example-session-token",
}


def problems(env: dict[str, str]) -> dict[str, str]:
    """Variable → what was found, of each problem."""
    with pytest.raises(SettingsError) as caught:
        Settings.from_env(env)
    return {problem.variable: problem.found for problem in caught.value.problems}


def test_an_empty_environment_is_a_working_local_function() -> None:
    """The embedded ledger, no token, and the defaults of the documentation."""
    settings = Settings.from_env({})
    assert settings.ledger_url == StoreUrl("file", path="./ledger")
    assert settings.ledger_url.folder == Path("ledger")
    assert settings.callback_tokens == ()
    assert settings.limits == Limits(2_097_152, 80_000, 64)
    assert (settings.retry_max_attempts, settings.retry_base_s, settings.retry_cap_s) == (
        3,
        60,
        3600,
    )
    assert (settings.verify_callbacks, settings.alert_lang, settings.reconcile_tags) == (
        "failures",
        "en",
        (),
    )
    assert settings.credentials is None


def test_everything_can_be_set() -> None:
    """Each variable reaches its field."""
    settings = Settings.from_env(
        SCF
        | {
            "ALERT_URLS": "https://example.com/a smtps://u:p@mail.example.com/?to=a@example.com",
            "ALERT_LANG": "zh",
            "RETRY_CODES": "InternalError, SlowDown",
            "RECONCILE_TAGS": "Transcode:6, Translation:24",
            "RECONCILE_QUEUES": "p1@2026-11-27T10:40:00Z, p2@2026-11-28T10:40:00Z",
            "LEASE_WAIT_S": "0.5",
            "COS_ENDPOINT": "http://127.0.0.1:9000",
            "ALLOWED_BUCKETS": "media-1250000000,1250000000",
            "CI_BUCKET": "media-1250000000",
            "RETRY_CALLBACK_URL": "https://example.com/?token=x",
        }
    )
    assert settings.ledger_url == StoreUrl("cos", "records-1250000000", "ci/")
    assert settings.callback_tokens == ("first-token", "second-token")
    assert settings.retry_codes == frozenset({"InternalError", "SlowDown"})
    assert settings.alert_codes is None
    assert settings.reconcile_tags == (("Transcode", 6), ("Translation", 24))
    assert settings.reconcile_queues == (
        ConnectedQueue("p1", "2026-11-27T10:40:00Z"),
        ConnectedQueue("p2", "2026-11-28T10:40:00Z"),
    )
    assert settings.lease_wait_s == 0.5
    assert settings.cos_endpoint == ("127.0.0.1", 9000)
    assert settings.allowed_buckets == frozenset({"media-1250000000", "1250000000"})
    assert settings.credentials == Credentials(
        "AKIDexample", "example-secret-key", "example-session-token"
    )


def test_every_problem_is_reported_at_once() -> None:
    """In SCF nothing that decides where records go, or who may write, is left to a default."""
    assert problems(
        {"TENCENTCLOUD_RUNENV": "SCF", "RETRY_BASE_S": "soon", "VERIFY_CALLBACKS": "maybe"}
    ) == {
        "LEDGER_URL": "nothing",
        "CALLBACK_TOKENS": "nothing",
        "RETRY_BASE_S": "'soon'",
        "VERIFY_CALLBACKS": "'maybe'",
    }


def test_a_ledger_on_cos_needs_credentials_and_a_region() -> None:
    """Said before the first request fails."""
    env = {"LEDGER_URL": "cos://records-1250000000"}
    assert set(problems(env)) == {
        "TENCENTCLOUD_SECRETID, TENCENTCLOUD_SECRETKEY",
        "COS_REGION",
    }


def test_the_region_is_scfs_own_where_none_is_set() -> None:
    """The function and its bucket usually live together."""
    env = {name: value for name, value in SCF.items() if name != "COS_REGION"}
    settings = Settings.from_env(env | {"TENCENTCLOUD_REGION": "ap-shanghai"})
    assert settings.region == "ap-shanghai"


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("LEDGER_URL", "s3://bucket"),
        ("LEDGER_URL", "cos://bucket-without-appid"),
        ("LEDGER_URL", "cos://records-1250000000/../up"),
        ("LEDGER_URL", "cos://records-1250000000/a b"),
        ("LEDGER_URL", "cos://records-1250000000/" + "a" * 300),
        ("LEDGER_URL", "file:"),
        ("LEDGER_URL", "cos://records-1250000000/ci#region=ap-shanghai"),
        ("SPILL_URL", "s3://bucket"),
        ("SPILL_URL", "cos://spill-1250000000/ci#zone=ap-shanghai"),
        ("SPILL_URL", "cos://spill-1250000000#region="),
        ("SPILL_URL", "cos://spill-1250000000#region=ap_shanghai"),
        ("SPILL_URL", "file:"),
        ("LEDGER_URL", "file://host/path"),
        ("COS_REGION", "ap_guangzhou"),
        ("COS_REGION", "ap-guangzhou.evil.example"),
        ("COS_ENDPOINT", "https://127.0.0.1:9000"),
        ("COS_ENDPOINT", "http://127.0.0.1"),
        ("COS_ENDPOINT", "http://127.0.0.1:9000/path"),
        ("ALERT_URLS", "ftp://example.com"),
        ("ALERT_URLS", "https://"),
        ("CALLBACK_TOKENS", "a,,b"),
        ("CALLBACK_TOKENS", "none,b"),
        ("CALLBACK_TOKENS", "a b"),
        ("CALLBACK_TOKENS", "tökën"),
        ("RETRY_CODES", ",,"),
        ("RETRY_CODES", "a b"),
        ("RETRY_MAX_ATTEMPTS", "0"),
        ("RETRY_MAX_ATTEMPTS", "1.5"),
        ("RETRY_MAX_ATTEMPTS", "٣"),
        ("RETRY_MAX_ATTEMPTS", "9" * 20),
        ("LEASE_S", "10"),
        ("LEASE_WAIT_S", "-1"),
        ("LEASE_WAIT_S", "nan"),
        ("LEASE_WAIT_S", "two"),
        ("RECONCILE_TAGS", "Transcode"),
        ("RECONCILE_TAGS", "Transcode:721"),
        ("RECONCILE_TAGS", "Trans/code:1"),
        ("RECONCILE_QUEUES", "p1"),
        ("RECONCILE_QUEUES", "p1@yesterday"),
        ("RECONCILE_QUEUES", "p1@2026-13-27T10:40:00Z"),
        ("RECONCILE_QUEUES", "p/1@2026-11-27T10:40:00Z"),
        ("RECONCILE_QUEUES", "p1@2026-11-27T10:40:00Z,p1@2026-11-28T10:40:00Z"),
        ("CI_BUCKET", "media"),
        ("RETRY_CALLBACK_URL", "example.com"),
        ("MAX_DEPTH", "100000"),
    ],
)
def test_what_is_not_understood_is_a_problem_of_its_variable(variable: str, value: str) -> None:
    """Nothing is guessed at, and nothing falls back to a default in silence."""
    assert set(problems({variable: value})) == {variable}


@pytest.mark.parametrize(
    ("env", "variable"),
    [
        ({"RETRY_BASE_S": "100", "RETRY_CAP_S": "50"}, "RETRY_BASE_S"),
        ({"LEASE_S": "60", "LEASE_WAIT_S": "33"}, "LEASE_WAIT_S"),
    ],
)
def test_settings_that_are_at_odds_are_a_problem(env: dict[str, str], variable: str) -> None:
    """Each is right by itself."""
    assert set(problems(env)) == {variable}


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("cos://spill-1250000000/a/b", StoreUrl("cos", "spill-1250000000", "a/b/")),
        (
            "cos://spill-1250000000/#region=ap-shanghai",
            StoreUrl("cos", "spill-1250000000", region="ap-shanghai"),
        ),
        ("file:./a", StoreUrl("file", path="./a")),
        ("file:./a#b", StoreUrl("file", path="./a#b")),
    ],
)
def test_a_spill_may_name_its_region(url: str, expected: StoreUrl) -> None:
    """Else it is the ledger's."""
    assert Settings.from_env(SCF | {"SPILL_URL": url}).spill_url == expected


@pytest.mark.parametrize(
    ("ledger", "spill"),
    [
        ("cos://records-1250000000/ci", "cos://records-1250000000/spill#region=ap-shanghai"),
        ("file:./ledger", "file:ledger"),
        ("file:./ledger", "file:ledger/../ledger/"),
    ],
)
def test_a_spill_where_the_ledger_is_is_a_problem(ledger: str, spill: str) -> None:
    """It would fail when the ledger fails."""
    assert set(problems(SCF | {"LEDGER_URL": ledger, "SPILL_URL": spill})) == {"SPILL_URL"}


def test_a_spill_on_cos_needs_credentials_and_a_region() -> None:
    """Of a ledger in a folder too."""
    assert set(problems({"SPILL_URL": "cos://spill-1250000000"})) == {
        "TENCENTCLOUD_SECRETID, TENCENTCLOUD_SECRETKEY",
        "COS_REGION",
    }
    named = {"SPILL_URL": "cos://spill-1250000000#region=ap-shanghai"}
    assert set(problems(named)) == {"TENCENTCLOUD_SECRETID, TENCENTCLOUD_SECRETKEY"}


@pytest.mark.parametrize(
    ("word", "before_storing", "before_retrying"),
    [("never", False, False), ("failures", False, True), ("always", True, True)],
)
def test_what_verify_callbacks_means(
    word: str, before_storing: bool, before_retrying: bool
) -> None:
    """In one place."""
    settings = Settings.from_env({"VERIFY_CALLBACKS": word})
    assert settings.confirms_before_storing == before_storing
    assert settings.confirms_before_retrying == before_retrying


@pytest.mark.parametrize(
    ("url", "folder"), [("file:./a", "a"), ("file:/var/a", "/var/a"), ("file:///var/a", "/var/a")]
)
def test_a_folder_can_be_written_in_three_ways(url: str, folder: str) -> None:
    """Relative, absolute, and as a URL proper."""
    assert Settings.from_env({"LEDGER_URL": url}).ledger_url.folder == Path(folder)


def test_no_secret_is_in_a_problem_or_a_repr() -> None:
    """Neither a token nor an address with a key in it."""
    with pytest.raises(SettingsError) as caught:
        Settings.from_env({"CALLBACK_TOKENS": "s3cret s3cret", "ALERT_URLS": "x://s3cret"})
    assert "s3cret" not in str(caught.value)
    settings = Settings.from_env(SCF | {"ALERT_URLS": "https://example.com/hook?key=s3cret-key"})
    for secret in ("s3cret", "token", "secret-key"):
        assert secret not in repr(settings).replace("callback_tokens", "").replace("s3cret_", "")


def test_secrets_are_listed_for_redaction() -> None:
    """Tokens, keys, alert addresses, and the parts of those that open a door."""
    url = "smtps://user%40example.com:pass%20word@mail.example.com/?to=a@b"
    settings = Settings.from_env(
        SCF
        | {
            "ALERT_URLS": f"{url} https://example.com/services/T000/longsecret?key=abcdefgh#secret=hijklmnop"
        }
    )
    assert {
        "first-token",
        "second-token",
        "AKIDexample",
        "example-secret-key",
        "example-session-token",
        "pass%20word",
        "pass word",
        "longsecret",
        "abcdefgh",
        "hijklmnop",
    } <= set(settings.secrets)


def test_tokens_are_known_even_where_other_settings_are_wrong() -> None:
    """So that strangers are told apart even then."""
    assert tokens_from_env({"CALLBACK_TOKENS": "a,b"}) == ("a", "b")
    assert tokens_from_env({"CALLBACK_TOKENS": "none"}) == ()
    assert tokens_from_env({}) == ()
    assert tokens_from_env({"TENCENTCLOUD_RUNENV": "SCF"}) is None
    assert tokens_from_env({"CALLBACK_TOKENS": "a,,b"}) is None


# --- where events go ---

KEY = "whsec_" + "A" * 43 + "="


def test_destinations_are_read_with_their_filters() -> None:
    """Separated by blanks, each once; nothing secret is in a repr."""
    one, two = (
        f"https://one.example.com/h?key=abcdefg#secret={KEY}",
        f"https://two.example.com#secret={KEY}",
    )
    settings = Settings.from_env(
        {"FORWARD_URLS": f"{one}&types=job.*,workflow.finished&tags=Transcode {two} {one}"}
    )
    first, second = settings.forward_urls
    assert {first.host, second.host} == {"one.example.com", "two.example.com"}
    assert (second.types, second.tags) == (("*",), None)
    assert first.url == "https://one.example.com/h?key=abcdefg"
    assert "abcdefg" not in repr(settings)
    assert {"abcdefg", KEY, KEY.removeprefix("whsec_")} <= set(settings.secrets)
    assert not {"Transcode", "job.*"} & set(settings.secrets)


@pytest.mark.parametrize(
    "url",
    [
        "https://one.example.com/h",
        "https://one.example.com/h#secret=abc",
        "https://one.example.com/h#secret=whsec_abc",
        "https://one.example.com/h#secret=whsec_" + "A" * 12,
        f"ftp://one.example.com/h#secret={KEY}",
        f"https:///h#secret={KEY}",
        f"https://one.example.com/h#secret={KEY}&types=job.suceeded",
        f"https://one.example.com/h#secret={KEY}&tags=",
        f"https://one.example.com/h#secret={KEY}&tag=Transcode",
        f"https://one.example.com/h#secret={KEY}&secret={KEY}",
        f"https://one.example.com:99999/h#secret={KEY}",
    ],
)
def test_a_destination_that_can_not_be_used_is_a_problem(url: str) -> None:
    """Whose value is not shown."""
    found = problems({"FORWARD_URLS": url})
    assert found == {"FORWARD_URLS": "a value that is not shown"}


def test_plain_http_is_for_hosts_that_are_allowed() -> None:
    """The event would be read on its way."""
    url = f"http://hooks.internal/h#secret={KEY}"
    assert problems({"FORWARD_URLS": url}) == {"FORWARD_URLS": "plain http to hooks.internal"}
    settings = Settings.from_env({"FORWARD_URLS": url, "FORWARD_ALLOW_HOSTS": "hooks.internal"})
    assert settings.forward_allow_hosts == frozenset({"hooks.internal"})
