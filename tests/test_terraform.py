"""deploy/terraform against the provider's own schema, and against serverless.yml.

The schema is that of tencentcloudstack/tencentcloud 1.83.25: the arguments that a resource takes,
which of them must be there, and which exclude each other, from the resources' sources
(services/scf, services/cam, services/cos, services/cls) and pages. Nothing here applies it to an
account.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import hcl2
import pytest

from ci_callback.deploy import alarms, dashboard, layout, logs_plan, policy
from ci_callback.deploy.description import Description, Names, read
from ci_callback.deploy.desired import RETRIES, TTL_S, url_settings
from ci_callback.texts import Texts
from handler.settings import Settings

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "deploy" / "terraform"
PROVIDER = "1.83.25"
ID_SPACE = uuid.UUID("5d1d3c6e-8a53-4f0b-9c55-3c1c1f0f7a10")
STRING, INT, BOOL, MAP, LIST = "string", "int", "bool", "map", "list"
META = {"count", "depends_on", "for_each"}
"""Arguments of Terraform itself."""


class Schema(NamedTuple):
    """required, optional: argument → its type, or the schema of a block. excludes: of arguments."""

    required: Mapping[str, Any]
    optional: Mapping[str, Any] = {}
    excludes: tuple[tuple[str, str], ...] = ()


RETRY = Schema({"retry_num": INT})
FIELD = Schema({"type": STRING}, {"tokenizer": STRING, "sql_flag": BOOL, "contain_z_h": BOOL})
FULL_TEXT = Schema({"case_sensitive": BOOL, "tokenizer": STRING, "contain_z_h": BOOL})
KEY_VALUE = Schema(
    {"case_sensitive": BOOL}, {"key_values": Schema({"key": STRING}, {"value": FIELD})}
)
ALARM_TARGET = Schema(
    {
        "topic_id": STRING,
        "logset_id": STRING,
        "query": STRING,
        "number": INT,
        "start_time_offset": INT,
        "end_time_offset": INT,
    },
    {"syntax_rule": INT},
)
SCHEMAS: Mapping[str, Schema] = {
    "tencentcloud_cos_bucket": Schema(
        {"bucket": STRING}, {"acl": STRING, "versioning_enable": BOOL, "force_clean": BOOL}
    ),
    "tencentcloud_cam_role": Schema(
        {"name": STRING, "document": STRING}, {"description": STRING, "console_login": BOOL}
    ),
    "tencentcloud_cam_policy": Schema(
        {"name": STRING, "document": STRING}, {"description": STRING}
    ),
    "tencentcloud_cam_role_policy_attachment_by_name": Schema(
        {"role_name": STRING, "policy_name": STRING}
    ),
    "tencentcloud_scf_function": Schema(
        {"name": STRING},
        {
            "handler": STRING,
            "description": STRING,
            "mem_size": INT,
            "timeout": INT,
            "environment": MAP,
            "runtime": STRING,
            "namespace": STRING,
            "role": STRING,
            "func_type": STRING,
            "enable_public_net": BOOL,
            "zip_file": STRING,
            "cos_bucket_name": STRING,
            "cos_object_name": STRING,
            "cos_bucket_region": STRING,
            "cls_logset_id": STRING,
            "cls_topic_id": STRING,
        },
        (
            ("zip_file", "cos_bucket_name"),
            ("zip_file", "cos_object_name"),
            ("zip_file", "cos_bucket_region"),
        ),
    ),
    "tencentcloud_scf_function_event_invoke_config": Schema(
        {
            "function_name": STRING,
            "async_trigger_config": Schema({"msg_ttl": INT, "retry_config": RETRY}),
        },
        {"namespace": STRING},
    ),
    "tencentcloud_scf_reserved_concurrency_config": Schema(
        {"function_name": STRING, "reserved_concurrency_mem": INT}, {"namespace": STRING}
    ),
    "tencentcloud_scf_trigger": Schema(
        {"function_name": STRING, "type": STRING, "namespace": STRING},
        {
            "trigger_name": STRING,
            "trigger_desc": STRING,
            "qualifier": STRING,
            "enable": STRING,
            "custom_argument": STRING,
            "description": STRING,
        },
    ),
    "tencentcloud_cls_logset": Schema({"logset_name": STRING}, {"tags": MAP}),
    "tencentcloud_cls_topic": Schema(
        {"logset_id": STRING, "topic_name": STRING}, {"period": INT, "describes": STRING}
    ),
    "tencentcloud_cls_index": Schema(
        {"topic_id": STRING},
        {"rule": Schema({}, {"full_text": FULL_TEXT, "key_value": KEY_VALUE}), "status": BOOL},
    ),
    "tencentcloud_cls_alarm_notice": Schema(
        {"name": STRING},
        {
            "type": STRING,
            "web_callbacks": Schema({"callback_type": STRING, "url": STRING}, {"method": STRING}),
        },
    ),
    "tencentcloud_cls_alarm": Schema(
        {
            "name": STRING,
            "alarm_targets": ALARM_TARGET,
            "monitor_time": Schema({"type": STRING, "time": INT}),
            "trigger_count": INT,
            "alarm_period": INT,
        },
        {
            "condition": STRING,
            "alarm_notice_ids": LIST,
            "multi_conditions": Schema({}, {"condition": STRING}),
            "message_template": STRING,
            "status": BOOL,
        },
        (("condition", "multi_conditions"),),
    ),
    "tencentcloud_cls_dashboard": Schema({"dashboard_name": STRING}, {"data": STRING}),
    "local_file": Schema(
        {"filename": STRING},
        {"content": STRING, "content_base64": STRING},
        (("content", "content_base64"),),
    ),
}


class Resource(NamedTuple):
    """kind.name { values }"""

    kind: str
    name: str
    values: Mapping[str, Any]


def parsed() -> dict[str, list[Any]]:
    """All files together: block type → blocks."""
    whole: dict[str, list[Any]] = {}
    for path in sorted(FOLDER.glob("*.tf")):
        for kind, blocks in hcl2.loads(path.read_text("utf-8")).items():
            whole.setdefault(kind, []).extend(blocks)
    return whole


FILES = parsed()


def named(kind: str) -> dict[str, Any]:
    """The blocks with one label, by it."""
    return {
        label.strip('"'): values for block in FILES.get(kind, []) for label, values in block.items()
    }


def resources() -> list[Resource]:
    """All of them."""
    return [
        Resource(kind.strip('"'), name.strip('"'), values)
        for block in FILES["resource"]
        for kind, inner in block.items()
        for name, values in inner.items()
    ]


def own(values: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments and blocks, without the parser's marks."""
    return {name: value for name, value in values.items() if not name.startswith("__")}


def faults(schema: Schema, values: Mapping[str, Any], place: str) -> Iterator[str]:
    """What the provider would refuse."""
    known = {**schema.required, **schema.optional}
    values = {name: value for name, value in values.items() if name != "dynamic"} | {
        name.strip('"'): block["content"]
        for dynamic in values.get("dynamic", [])
        for name, block in dynamic.items()
    }
    for name in schema.required.keys() - values.keys():
        yield f"{place}: {name} is missing"
    for name, value in values.items():
        expected = known.get(name)
        if name in META:
            continue
        if expected is None:
            yield f"{place}: there is no {name}"
        elif isinstance(expected, Schema):
            for block in value:
                yield from faults(expected, own(block), f"{place}.{name}")
        elif not is_of(expected, value):
            yield f"{place}: {name} is no {expected}"
    for one, other in schema.excludes:
        if one in values and other in values:
            yield f"{place}: {one} excludes {other}"


def is_of(kind: str, value: Any) -> bool:
    """Whether a literal has a type. What an expression gives is not known here."""
    if isinstance(value, str) and value.startswith("${"):
        return True
    if kind == STRING:
        return isinstance(value, str)
    if kind == BOOL:
        return isinstance(value, bool)
    expected = {INT: int, MAP: dict, LIST: list}[kind]
    return isinstance(value, expected) and not isinstance(value, bool)


def text(value: Any) -> str:
    """A literal without its quotation marks."""
    return str(value).strip('"')


def described() -> Description:
    """serverless.yml."""
    env = {"COS_REGION": "ap-guangzhou", "LEDGER_URL": "cos://records-1250000000/ci"}
    return read((ROOT / "serverless.yml").read_text("utf-8"), env, Names())


def local() -> dict[str, Any]:
    """The locals of all files."""
    return {name: value for block in FILES["locals"] for name, value in own(block).items()}


def literals(value: Any) -> Any:
    """Texts, and lists and maps of them, as Terraform reads them."""
    if isinstance(value, dict):
        return {text(name): literals(item) for name, item in own(value).items()}
    if isinstance(value, list):
        return [literals(item) for item in value]
    return json.loads(value) if isinstance(value, str) and value.startswith('"') else value


def function() -> Mapping[str, Any]:
    """The resource of the function."""
    return next(one.values for one in resources() if one.kind == "tencentcloud_scf_function")


def triggers() -> dict[str, dict[str, str]]:
    """By the name of the resource."""
    return {
        one.name: {name: text(value) for name, value in own(one.values).items()}
        for one in resources()
        if one.kind == "tencentcloud_scf_trigger"
    }


@pytest.mark.parametrize("resource", resources(), ids=lambda one: f"{one.kind}.{one.name}")
def test_each_resource_has_what_the_provider_takes(resource: Resource) -> None:
    """Names, types, what must be there, what excludes each other."""
    schema = SCHEMAS[resource.kind]
    assert list(faults(schema, own(resource.values), resource.name)) == []


@pytest.mark.parametrize(
    ("kind", "values", "fault"),
    [
        ("tencentcloud_scf_function", {}, "name is missing"),
        ("tencentcloud_scf_function", {"name": '"x"', "memory": 1}, "there is no memory"),
        ("tencentcloud_scf_function", {"name": '"x"', "timeout": '"55"'}, "timeout is no int"),
        ("tencentcloud_scf_function", {"name": '"x"', "timeout": True}, "timeout is no int"),
        ("tencentcloud_scf_function", {"name": 1}, "name is no string"),
        (
            "tencentcloud_scf_function",
            {"name": '"x"', "zip_file": '"a"', "cos_bucket_name": '"b"'},
            "zip_file excludes cos_bucket_name",
        ),
        (
            "tencentcloud_scf_function_event_invoke_config",
            {"function_name": '"x"', "async_trigger_config": [{"retry_config": [{}]}]},
            "msg_ttl is missing",
        ),
    ],
)
def test_what_the_provider_would_refuse_is_found(
    kind: str, values: dict[str, Any], fault: str
) -> None:
    """Else the test above would show nothing."""
    assert any(fault in found for found in faults(SCHEMAS[kind], values, "x"))


def test_the_provider_is_at_least_the_one_of_the_schema() -> None:
    """An older one wants a name for a URL."""
    (terraform,) = FILES["terraform"]
    (required,) = terraform["required_providers"]
    assert text(required["tencentcloud"]["version"]) == f">= {PROVIDER}"


def test_the_name_of_a_trigger_is_absent_for_a_url_and_there_for_a_timer() -> None:
    """The provider refuses anything else when it creates one."""
    for trigger in triggers().values():
        assert ("trigger_name" in trigger) == (trigger["type"] == "timer")
        assert trigger["enable"] == "OPEN"


def test_it_describes_what_serverless_yml_describes() -> None:
    """Settings, triggers with their arguments, asynchronous runs."""
    wanted, found = described(), function()
    assert text(found["runtime"]) == wanted.runtime
    assert text(found["handler"]) == wanted.handler
    assert (found["mem_size"], found["timeout"]) == (wanted.memory_mb, wanted.timeout_s)
    assert found["enable_public_net"] is wanted.is_public
    timers = {
        (one["trigger_name"], one["qualifier"], one["trigger_desc"], one["custom_argument"])
        for one in triggers().values()
        if one["type"] == "timer"
    }
    assert timers == set(wanted.timers)
    (url,) = (one for one in triggers().values() if one["type"] == "http")
    assert wanted.url
    net = url_settings(wanted.url)["NetConfig"]
    assert f'AuthType = "{wanted.url.auth}"' in url["trigger_desc"]
    for name, is_on in net.items():
        assert f"{name} = {str(is_on).lower()}" in url["trigger_desc"]
    config = next(one.values for one in resources() if "event_invoke" in one.kind)
    (trigger,) = config["async_trigger_config"]
    (retry,) = trigger["retry_config"]
    assert (retry["retry_num"], trigger["msg_ttl"]) == (RETRIES, TTL_S)


def test_a_split_deployment_is_that_of_deploy() -> None:
    """Which function has which trigger, whose role, and the quota of the one that sweeps."""
    wanted = described()
    parts = {part.description.name: part for part in layout.parts(wanted, is_split=True)}
    values = {name: value for block in FILES["locals"] for name, value in own(block).items()}
    suffixes, home = literal(values["suffixes"]), literal(values["split_home"])
    names = {key: f"{wanted.name}{suffix}" for key, suffix in suffixes.items()}
    assert set(names.values()) == set(parts)
    for name, part in parts.items():
        of_part = {timer.name for timer in part.description.timers}
        of_part |= {"url"} if part.description.url else set()
        assert of_part == {one for one, where in home.items() if names[where] == name}
    assert set(literal(values["whole_home"]).values()) == {"callbacks"}
    actions = {text(action) for action in values["public_actions"]}
    assert actions == policy.PUBLIC
    quota = next(one.values for one in resources() if "reserved" in one.kind)
    assert quota["reserved_concurrency_mem"] == wanted.memory_mb


def literal(values: Mapping[str, Any]) -> dict[str, str]:
    """A map of texts."""
    return {text(name): text(value) for name, value in own(values).items()}


def test_each_variable_of_the_function_has_its_variable_here() -> None:
    """Under the same names."""
    whole = (FOLDER / "main.tf").read_text("utf-8")
    for name in (*described().variables, *described().unset):
        assert re.search(rf"\b{name}\s+= ", whole), name


def test_what_is_referred_to_is_declared() -> None:
    """Variables, locals, resources and data."""
    whole = "".join(path.read_text("utf-8") for path in sorted(FOLDER.glob("*.tf")))
    code = re.sub(r"#.*", "", whole)
    assert set(re.findall(r"\bvar\.(\w+)", code)) == set(named("variable"))
    known = set(local())
    assert set(re.findall(r"\blocal\.(\w+)", code)) <= known
    declared = {f"{one.kind}.{one.name}" for one in resources()}
    assert (
        set(re.findall(r"\b((?:tencentcloud_\w+|local_file)\.\w+)\b", code))
        - {"tencentcloud_user_info.current"}
        <= declared
    )


def test_the_log_topic_and_what_watches_it_are_those_of_deploy() -> None:
    """Index, alarms, robots and charts, by the same tables."""
    found = literals(local())
    assert found["log_fields"] == logs_plan.fields_of(logs_plan.RULE)
    texts = Texts("en")
    assert list(found["alarms"].values()) == [
        {
            "search": alarm.search,
            "condition": alarm.condition,
            "periods": alarm.periods,
            "message": f"[Cloud Infinite] {texts(f'watch.{alarm.key}')}",
        }
        for alarm in alarms.ALARMS
    ]
    assert list(found["alarms"]) == [alarm.key for alarm in alarms.ALARMS]
    assert found["charts"] == [
        {
            "key": chart.key,
            "title": texts(f"dashboard.{chart.key}"),
            "query": chart.query,
            "by": chart.by,
        }
        for chart in dashboard.CHARTS
    ]
    assert found["region_ids"] == dashboard.REGION_IDS
    for host, kind in found["robot_types"].items():
        (callback,) = alarms.robots([f"https://{host}/x"], "en").callbacks
        assert callback["CallbackType"] == kind
    alarm = next(one.values for one in resources() if one.kind == "tencentcloud_cls_alarm")
    (target,), (time,) = alarm["alarm_targets"], alarm["monitor_time"]
    assert time["time"] == -target["start_time_offset"] == alarms.PERIOD_MIN
    assert (alarm["alarm_period"], target["syntax_rule"]) == (alarms.REPEAT_MIN, alarms.CQL)
    assert text(found["watch_name"]) == alarms.title("${var.name}")
    topic = next(one.values for one in resources() if one.kind == "tencentcloud_cls_topic")
    assert topic["period"] == logs_plan.PERIOD_DAYS


def test_a_dashboard_has_the_panels_of_deploy() -> None:
    """By the same ids, places and axes."""
    values = next(one.values for one in resources() if one.kind == "tencentcloud_cls_dashboard")
    panels = dashboard.panels("ap-guangzhou", {"LogsetId": "l", "TopicId": "t"}, "en")
    for at, panel in enumerate(panels):
        assert panel["id"] == f"chart-{uuid.uuid5(ID_SPACE, dashboard.CHARTS[at].key)}"
        place = panel["gridPos"]
        assert (place["x"], place["y"]) == (at % 2 * place["w"], at // 2 * place["h"])
    assert f'uuidv5(\\"{ID_SPACE}\\"' in json.dumps(values["data"])
    assert "x = at % 2 * 12, y = floor(at / 2) * 8, w = 12, h = 8" in values["data"]
    assert (panels[0]["gridPos"]["w"], panels[0]["gridPos"]["h"]) == (12, 8)
    for member in ("RegionId", "LogsetId", "TopicId", "Query", "ChartAxis"):
        assert f"{member} = " in values["data"]
        assert member in panels[0]["target"]


def test_secrets_are_marked_as_such() -> None:
    """Terraform shows no value of them."""
    variables = named("variable")
    secret = {name for name, values in variables.items() if values.get("sensitive") is True}
    assert secret == {"callback_tokens", "alert_urls", "forward_urls"}


def test_every_name_of_the_policy_is_filled_in() -> None:
    """By the same replacements, to the same document as `deploy` makes."""
    template = (ROOT / "docs" / "cam-policy.json").read_text("utf-8")
    keys = {"TENCENTCLOUD_SECRETID": "id", "TENCENTCLOUD_SECRETKEY": "key"}
    ledger = {"LEDGER_URL": "cos://records-1250000000/ci", "COS_REGION": "ap-guangzhou"}
    wanted = policy.policy(
        template, Settings.from_env(ledger | keys), policy.Owner("1250000000", "100000000001")
    )
    parts = [part for part in json.loads(template)["statement"] if "SPILL_" not in str(part)]
    filled = json.dumps(parts)
    for name, value in replacements().items():
        filled = filled.replace(name, value)
    assert json.loads(filled) == wanted["statement"]


def replacements() -> dict[str, str]:
    """The map `filled` of main.tf, with the values of the test above."""
    values = {
        "${var.bucket}": "records-1250000000",
        "${local.media_bucket}": "records-1250000000",
        "${var.prefix}": "ci",
        "${var.region}": "ap-guangzhou",
        "${local.account.app_id}": "1250000000",
        "${local.account.owner_uin}": "100000000001",
    }
    block = (FOLDER / "main.tf").read_text("utf-8").partition("filled = {")[2].partition("}\n")[0]
    rows = re.findall(r'^\s*"([^"]+)"\s*= (?:"([^"]*)"|([\w.]+))$', block, re.MULTILINE)
    made = {}
    for name, quoted, bare in rows:
        value = quoted or f"${{{bare}}}"
        for expression, text_of_it in values.items():
            value = value.replace(expression, text_of_it)
        made[name] = value
    assert len(made) == 6
    assert not any(name.startswith("/") and name.endswith("/") for name in made)
    return made
