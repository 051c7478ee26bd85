"""The stand-in for Tencent Cloud's API, asked by Tencent's own SDK."""

from __future__ import annotations

import base64
import io
import json
import time
import zipfile
from collections.abc import Iterator
from typing import Any

import pytest

from ci_callback.ci_simulator.fixtures import SECRET_ID, SECRET_KEY
from ci_callback.ci_simulator.server import ResetError
from ci_callback.cloud_api import Cloud, CloudError
from ci_callback.cloud_simulator import ApiError, CloudSimulator, contract, tc3
from ci_callback.cloud_simulator.simulator import MAX_BODY_BYTES, REGION
from handler.ledger.bucket import Credentials
from tools.cloud_api import EXTRACT, SERVICES, TCCLI

NAME = "ci-callback"
TRUST = json.dumps(
    {
        "version": "2.0",
        "statement": [
            {
                "action": "name/sts:AssumeRole",
                "effect": "allow",
                "principal": {"service": ["scf.qcloud.com"]},
            }
        ],
    }
)


def zipped(*names: str) -> str:
    """A zip with these files, as a request has it."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name in names or ("index.py",):
            archive.writestr(name, "def main_handler(event, context): return event\n")
    return base64.b64encode(made.getvalue()).decode()


@pytest.fixture
def account() -> Iterator[CloudSimulator]:
    """An empty account."""
    with CloudSimulator() as simulator:
        yield simulator


@pytest.fixture
def cloud(account: CloudSimulator) -> Cloud:
    """The SDK, pointed at it."""
    return Cloud(Credentials(SECRET_ID, SECRET_KEY, ""), REGION, account.endpoint)


def refused(cloud: Cloud, service: str, action: str, params: dict[str, Any]) -> str:
    """The code of the refusal."""
    with pytest.raises(CloudError) as raised:
        cloud.call(service, action, params)
    return raised.value.code


def create(cloud: Cloud, **more: Any) -> None:
    """A function of that name."""
    params = {
        "FunctionName": NAME,
        "Code": {"ZipFile": zipped()},
        "Handler": "index.main_handler",
        "Runtime": "Python3.10",
    }
    cloud.call("scf", "CreateFunction", params | more)


def state(cloud: Cloud, qualifier: str = "$LATEST") -> str:
    """What GetFunction shows."""
    asked = {"FunctionName": NAME, "Qualifier": qualifier}
    return str(cloud.call("scf", "GetFunction", asked)["Status"])


def created(cloud: Cloud, **more: Any) -> None:
    """A function of that name, once it is active."""
    create(cloud, **more)
    while state(cloud) != "Active":
        pass


# --- the description ----------------------------------------------------------------------


def test_the_extract_is_of_the_pinned_tccli_and_has_the_actions_that_are_used() -> None:
    """`make cloud-api` writes it."""
    extract = json.loads(EXTRACT.read_text("utf-8"))
    assert extract["source"]["version"] == TCCLI
    described = extract["services"]
    assert {name: sorted(service["actions"]) for name, service in described.items()} == {
        name: sorted(service.actions) for name, service in SERVICES.items()
    }


def least(service: str, shape: Any) -> Any:
    """The smallest value of a shape that is allowed."""
    objects = contract.services()[service]["objects"]
    if isinstance(shape, list):
        return [least(service, shape[0])]
    if shape not in objects:
        return {"string": "{}", "uint64": 1, "int64": 1}[shape]
    described = objects[shape]
    return {name: least(service, described["members"][name]) for name in described["required"]}


@pytest.mark.parametrize("service", sorted(contract.services()))
def test_every_described_action_is_answered(cloud: Cloud, service: str) -> None:
    """With a result or a refusal of the service's own; one without what it needs is refused."""
    described = contract.services()[service]
    codes = set()
    for action, (request, _) in described["actions"].items():
        assert refused(cloud, service, action, {"Nonsense": 1}) == "UnknownParameter"
        if described["objects"][request]["required"]:
            assert refused(cloud, service, action, {}) == "MissingParameter"
        names = {"RoleName", "AttachRoleName", "DetachRoleName", "PolicyName", "FunctionName"}
        members = {*described["objects"][request]["members"]} & names
        params = {**dict.fromkeys(members, "x"), **least(service, request)}
        try:
            cloud.call(service, action, params)
        except CloudError as error:
            codes.add(error.code)
    assert "" not in codes


@pytest.mark.parametrize(
    ("action", "params", "code"),
    [
        ("NoSuchAction", {}, "InvalidAction"),
        ("GetFunction", {"FunctionName": NAME, "Colour": "red"}, "UnknownParameter"),
        ("GetFunction", {"FunctionName": 7}, "InvalidParameter"),
        ("DeleteFunction", {}, "MissingParameter"),
        ("ListTriggers", {"FunctionName": NAME, "Limit": "20"}, "InvalidParameter"),
        ("ListTriggers", {"FunctionName": NAME, "Limit": -1}, "InvalidParameter"),
        ("ListTriggers", {"FunctionName": NAME, "Limit": True}, "InvalidParameter"),
        ("ListTriggers", {"FunctionName": NAME, "Filters": {}}, "InvalidParameter"),
        ("ListTriggers", {"FunctionName": NAME, "Filters": [7]}, "InvalidParameter"),
        (
            "CreateFunction",
            {"FunctionName": NAME, "Code": {"ZipFile": "x", "Url": "y"}},
            "UnknownParameter",
        ),
        (
            "UpdateFunctionEventInvokeConfig",
            {"FunctionName": NAME, "AsyncTriggerConfig": {"MsgTTL": 60}},
            "MissingParameter",
        ),
    ],
)
def test_what_the_description_does_not_allow_is_refused(
    cloud: Cloud, action: str, params: dict[str, Any], code: str
) -> None:
    """The SDK sends it: it validates nothing."""
    assert refused(cloud, "scf", action, params) == code


def test_a_field_that_the_stand_in_makes_up_fails_a_test() -> None:
    """Its answers are held against the description too."""
    contract.check_answer("cam", "GetUserAppId", {"Uin": "1", "AppId": None})
    with pytest.raises(AssertionError, match="GetUserAppId: UnknownParameter"):
        contract.check_answer("cam", "GetUserAppId", {"Name": "1"})


def test_another_version_of_the_api_is_refused() -> None:
    """The version belongs to the action."""
    with pytest.raises(Exception, match="NoSuchVersion"):
        contract.check_request("scf", "2017-03-12", "GetFunction", {})


# --- who asks -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("credentials", "code"),
    [
        (Credentials("AKIDother", SECRET_KEY, ""), "AuthFailure.SecretIdNotFound"),
        (Credentials(SECRET_ID, "another key", ""), "AuthFailure.SignatureFailure"),
        (Credentials(SECRET_ID, SECRET_KEY, "stale"), "AuthFailure.TokenFailure"),
    ],
)
def test_credentials_are_verified(
    account: CloudSimulator, credentials: Credentials, code: str
) -> None:
    """By the signature of the whole body."""
    cloud = Cloud(credentials, REGION, account.endpoint)
    assert refused(cloud, "cam", "GetUserAppId", {}) == code


def test_the_signature_that_is_verified_is_that_of_the_documented_example() -> None:
    """ "Signature v3", the same in every product's documents: the key, the time, the body and
    the signature are printed there."""
    body = (
        rb'{"Limit": 1, "Filters": [{"Values": ["\u672a\u547d\u540d"], "Name": "instance-name"}]}'
    )
    headers = {
        "content-type": "application/json; charset=utf-8",
        "host": "cvm.tencentcloudapi.com",
        "x-tc-timestamp": "1551113065",
        "authorization": "TC3-HMAC-SHA256 Credential=AKIDEXAMPLE/2019-02-25/cvm/tc3_request, "
        "SignedHeaders=content-type;host, "
        "Signature=72e494ea809ad7a8c8f7a4507b9bddcbaa8e581f516e8da2f66e2c5a96525168",
    }
    secrets = {"AKIDEXAMPLE": "Gu5t9xGARNpq86cd98joQYCN3EXAMPLE"}
    assert tc3.service_of(headers, body, secrets, 1551113065) == "cvm"
    with pytest.raises(ApiError, match="SignatureFailure"):
        tc3.service_of(headers, body + b" ", secrets, 1551113065)
    with pytest.raises(ApiError, match="InvalidAuthorization"):
        tc3.service_of({**headers, "authorization": "Basic x"}, body, secrets, 1551113065)


def test_a_clock_that_is_off_is_refused(cloud: Cloud, account: CloudSimulator) -> None:
    """By more than five minutes."""
    account.clock = lambda: time.time() + 301
    assert refused(cloud, "cam", "GetUserAppId", {}) == "AuthFailure.SignatureExpire"


def test_another_region_is_refused(account: CloudSimulator) -> None:
    """CAM has none, so its answers are the same everywhere."""
    cloud = Cloud(Credentials(SECRET_ID, SECRET_KEY, ""), "ap-beijing", account.endpoint)
    assert refused(cloud, "scf", "GetFunction", {"FunctionName": NAME}) == "UnsupportedRegion"
    assert cloud.call("cam", "GetUserAppId", {})["AppId"] == 1250000000


def test_a_request_over_ten_megabytes_is_refused(cloud: Cloud) -> None:
    """The bound of TC3 is below SCF's own for a zip."""
    code = {"ZipFile": "A" * MAX_BODY_BYTES}
    refusal = refused(cloud, "scf", "CreateFunction", {"FunctionName": NAME, "Code": code})
    assert refusal == "RequestSizeLimitExceeded"


def test_an_error_shows_neither_key_nor_request(cloud: Cloud) -> None:
    """Its own words are kept aside."""
    with pytest.raises(CloudError) as raised:
        cloud.call("scf", "GetFunction", {"FunctionName": "s3cret", "Qualifier": 1})
    assert str(raised.value) == "GetFunction: InvalidParameter"
    assert SECRET_KEY not in repr(cloud)


# --- functions ----------------------------------------------------------------------------


def test_a_function_is_creating_before_it_is_active(cloud: Cloud, account: CloudSimulator) -> None:
    """And takes no trigger and no change until then."""
    account.faults.activation_reads = 2
    create(cloud)
    trigger = {"FunctionName": NAME, "TriggerName": "sweep", "Type": "timer"}
    trigger |= {"TriggerDesc": "0 * * * * * *"}
    early = "FailedOperation.FunctionStatusError"
    assert refused(cloud, "scf", "CreateTrigger", trigger) == early
    assert refused(cloud, "scf", "PublishVersion", {"FunctionName": NAME}) == early
    assert [state(cloud) for _ in range(3)] == ["Creating", "Creating", "Active"]
    cloud.call("scf", "CreateTrigger", trigger)
    cloud.call("scf", "UpdateFunctionConfiguration", {"FunctionName": NAME, "Timeout": 9})
    assert refused(cloud, "scf", "PublishVersion", {"FunctionName": NAME}) == early


def test_without_cls_or_without_its_entry_file_it_ends_in_create_failed(
    cloud: Cloud, account: CloudSimulator
) -> None:
    """It has to be deleted then."""
    account.faults.activation_reads = 0
    account.faults.cls_activated = False
    create(cloud)
    assert state(cloud) == "CreateFailed"
    cloud.call("scf", "DeleteFunction", {"FunctionName": NAME})
    account.faults.cls_activated = True
    create(cloud, Code={"ZipFile": zipped("other.py")})
    answer = cloud.call("scf", "GetFunction", {"FunctionName": NAME})
    assert answer["Status"] == "CreateFailed"
    assert "index.py" in answer["StatusReasons"][0]["ErrorMessage"]


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"FunctionName": "7up"}, "InvalidParameterValue.FunctionName"),
        ({"MemorySize": 200}, "InvalidParameterValue.MemorySize"),
        ({"Timeout": 901}, "InvalidParameterValue.Timeout"),
        ({"Runtime": "Python3.99"}, "InvalidParameterValue.Runtime"),
        ({"Description": "sha256:ab"}, "InvalidParameterValue.Description"),
        ({"Role": "nobody"}, "ResourceNotFound.Role"),
        ({"Code": {"ZipFile": "?"}}, "InvalidParameterValue.ZipFileBase64BinasciiError"),
        ({"Code": {}}, "MissingParameter.Code"),
        (
            {"Code": {"CosBucketName": "b", "CosObjectName": "/gone.zip"}},
            "ResourceNotFound.CosObject",
        ),
        (
            {"Environment": {"Variables": [{"Key": "A", "Value": ""}]}},
            "InvalidParameterValue.Environment",
        ),
        (
            {"Environment": {"Variables": [{"Key": "SCF_A", "Value": "1"}]}},
            "InvalidParameterValue.EnvironmentSystemProtect",
        ),
        (
            {"Environment": {"Variables": [{"Key": "A", "Value": "x" * 4096}]}},
            "InvalidParameterValue.EnvironmentExceededLimit",
        ),
    ],
)
def test_settings_outside_the_platforms_bounds_are_refused(
    cloud: Cloud, more: dict[str, Any], code: str
) -> None:
    """As its documents have them."""
    params = {"FunctionName": NAME, "Code": {"ZipFile": zipped()}, "Runtime": "Python3.10"}
    assert refused(cloud, "scf", "CreateFunction", params | more) == code


def test_a_name_that_is_taken_and_a_runtime_that_is_changed_are_refused(cloud: Cloud) -> None:
    """The second run of a deploy meets the first."""
    created(cloud)
    params = {"FunctionName": NAME, "Code": {"ZipFile": zipped()}, "Runtime": "Python3.10"}
    assert refused(cloud, "scf", "CreateFunction", params) == "ResourceInUse.Function"
    change = {"FunctionName": NAME, "Runtime": "Python3.12"}
    refusal = refused(cloud, "scf", "UpdateFunctionConfiguration", change)
    assert refusal == "InvalidParameterValue.Runtime"


def test_variables_that_an_update_does_not_name_are_gone(cloud: Cloud) -> None:
    """So each update must send all of them."""
    created(cloud, Environment={"Variables": [{"Key": "A", "Value": "1"}]})
    cloud.call("scf", "UpdateFunctionConfiguration", {"FunctionName": NAME, "Timeout": 9})
    answer = cloud.call("scf", "GetFunction", {"FunctionName": NAME})
    assert (answer["Timeout"], answer["Environment"]) == (9, {"Variables": []})


def test_a_url_is_named_by_its_id_and_there_is_one_for_each_qualifier(cloud: Cloud) -> None:
    """Whatever name is asked for; its plain-http address is shown beside the other."""
    created(cloud)
    net = {"EnableExtranet": True, "EnableIntranet": False}
    url = {"FunctionName": NAME, "TriggerName": "url-trigger", "Type": "http"}
    url |= {
        "Qualifier": "$DEFAULT",
        "TriggerDesc": json.dumps({"AuthType": "NONE", "NetConfig": net}),
    }
    made = cloud.call("scf", "CreateTrigger", url)["TriggerInfo"]
    assert made["TriggerName"] != "url-trigger"
    shown = json.loads(made["TriggerDesc"])["NetConfig"]
    assert shown["ExtranetUrl"] == f"https://{made['TriggerName']}.ap-guangzhou.tencentscf.com"
    assert shown["ExtranetHTTPUrl"].startswith("http://")
    assert refused(cloud, "scf", "CreateTrigger", url) == "ResourceInUse.Trigger"
    gone = {"FunctionName": NAME, "TriggerName": "url-trigger", "Type": "http"}
    assert refused(cloud, "scf", "DeleteTrigger", gone) == "ResourceNotFound.Trigger"


def test_a_timer_shows_its_cron_as_json(cloud: Cloud) -> None:
    """And OPEN as 1."""
    created(cloud)
    timer = {"FunctionName": NAME, "TriggerName": "sweep", "Type": "timer", "Enable": "OPEN"}
    timer |= {"TriggerDesc": "0 * * * * * *", "CustomArgument": "sweep", "Qualifier": "$DEFAULT"}
    cloud.call("scf", "CreateTrigger", timer)
    cloud.call("scf", "UpdateTrigger", {**timer, "TriggerDesc": "0 */5 * * * * *"})
    (shown,) = cloud.call("scf", "ListTriggers", {"FunctionName": NAME})["Triggers"]
    assert (shown["TriggerDesc"], shown["Enable"]) == ('{"cron": "0 */5 * * * * *"}', 1)
    bad = {**timer, "TriggerDesc": "bogus"}
    assert refused(cloud, "scf", "UpdateTrigger", bad) == "InvalidParameterValue.TriggerDesc"


def test_a_version_keeps_what_it_was_published_with(cloud: Cloud) -> None:
    """And an alias points to it once it is active."""
    created(cloud, Timeout=9)
    published = cloud.call("scf", "PublishVersion", {"FunctionName": NAME, "Description": "one"})
    alias = {"FunctionName": NAME, "Name": "$DEFAULT", "FunctionVersion": "1"}
    early = "FailedOperation.FunctionVersionStatusNotActive"
    assert published["FunctionVersion"] == "1"
    assert refused(cloud, "scf", "UpdateAlias", alias) == early
    while state(cloud, "1") != "Active":
        pass
    cloud.call("scf", "UpdateAlias", alias)
    cloud.call("scf", "UpdateFunctionConfiguration", {"FunctionName": NAME, "Timeout": 10})
    asked = {"FunctionName": NAME, "Qualifier": "$DEFAULT"}
    assert cloud.call("scf", "GetFunction", asked)["Timeout"] == 9
    in_use = refused(
        cloud, "scf", "DeleteFunctionVersion", {"FunctionName": NAME, "Qualifier": "1"}
    )
    assert in_use == "UnsupportedOperation.AliasBind"


# --- roles --------------------------------------------------------------------------------


def test_a_role_is_found_by_scf_a_moment_after_it_is_made(
    cloud: Cloud, account: CloudSimulator
) -> None:
    """As often as is asked for it is not."""
    account.faults.role_lag = 1
    cloud.call("cam", "CreateRole", {"RoleName": "r", "PolicyDocument": TRUST})
    params = {"FunctionName": NAME, "Code": {"ZipFile": zipped()}, "Role": "r"}
    params |= {"Runtime": "Python3.10"}
    assert refused(cloud, "scf", "CreateFunction", params) == "ResourceNotFound.Role"
    cloud.call("scf", "CreateFunction", params)


def test_policies_are_made_read_changed_attached_and_deleted(cloud: Cloud) -> None:
    """By name or by number, as their parameters allow."""
    document = {"version": "2.0", "statement": [{"effect": "allow", "action": [], "resource": []}]}
    made = {"PolicyName": "p", "PolicyDocument": json.dumps(document)}
    number = cloud.call("cam", "CreatePolicy", made)["PolicyId"]
    assert refused(cloud, "cam", "CreatePolicy", made) == "FailedOperation.PolicyNameInUse"
    cloud.call("cam", "CreateRole", {"RoleName": "r", "PolicyDocument": TRUST})
    cloud.call("cam", "AttachRolePolicy", {"AttachRoleName": "r", "PolicyName": "p"})
    asked = {"RoleName": "r", "Page": 1, "Rp": 20}
    attached = cloud.call("cam", "ListAttachedRolePolicies", asked)
    assert [row["PolicyId"] for row in attached["List"]] == [number]
    wrong = {"PolicyId": number, "PolicyDocument": "{}"}
    refusal = refused(cloud, "cam", "UpdatePolicy", wrong)
    assert refusal == "InvalidParameter.PolicyDocumentError"
    cloud.call("cam", "DeletePolicy", {"PolicyId": [number]})
    assert cloud.call("cam", "ListPolicies", {"Scope": "Local", "Keyword": "p"})["TotalNum"] == 0
    assert refused(cloud, "cam", "GetRole", {"RoleName": "x"}) == "InvalidParameter.RoleNotExist"


# --- faults -------------------------------------------------------------------------------


def test_a_refusal_is_given_as_often_as_asked_for(cloud: Cloud, account: CloudSimulator) -> None:
    """And nothing is done meanwhile."""
    account.faults.refuse("GetUserAppId", "RequestLimitExceeded", times=2)
    for _ in range(2):
        assert refused(cloud, "cam", "GetUserAppId", {}) == "RequestLimitExceeded"
    assert cloud.call("cam", "GetUserAppId", {})["Uin"]


def test_a_read_may_not_show_what_was_made_a_moment_ago(
    cloud: Cloud, account: CloudSimulator
) -> None:
    """So often as is asked for."""
    account.faults.read_lag = 1
    create(cloud)
    assert refused(cloud, "scf", "GetFunction", {"FunctionName": NAME}).startswith("ResourceNot")
    assert state(cloud) == "Creating"


def test_a_connection_can_be_cut_before_and_after_an_action(
    cloud: Cloud, account: CloudSimulator
) -> None:
    """After it the action is done, and its answer is lost."""

    def cut(action: str) -> None:
        raise ResetError

    account.faults.before = cut
    with pytest.raises(CloudError) as raised:
        create(cloud)
    assert (raised.value.code, account.writes) == ("", [])
    account.faults.before, account.faults.after = (lambda action: None), cut
    with pytest.raises(CloudError):
        create(cloud)
    assert list(account.scf.functions) == [NAME]
