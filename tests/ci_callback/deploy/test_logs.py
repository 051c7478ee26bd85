"""`deploy --logs`: a log topic of the function's own, whose fields can be asked for."""

from __future__ import annotations

import pytest

from ci_callback.cloud_api import CloudError
from ci_callback.deploy.desired import MARK
from ci_callback.deploy.errors import DeployError
from ci_callback.deploy.logs_plan import RULE, fields_of
from ci_callback.deploy.plan import Choices
from tests.ci_callback.deploy.world import NAME, World

LOGS = Choices(logs=True)
MADE = ["CreateLogset", "CreateTopic", "CreateIndex"]


def deployed(world: World) -> None:
    """With logs."""
    world.deploy(world.job(choices=LOGS))


def test_log_set_topic_and_index_are_made_before_the_function_that_uses_them(
    world: World,
) -> None:
    """Under its name; and a second run changes nothing."""
    deployed(world)
    assert [action for action in world.made if action in MADE] == MADE
    assert world.made.index("CreateIndex") < world.made.index("CreateFunction")
    ((topic_id, topic),) = world.account.cls.topics.items()
    assert (topic.name, topic.period) == (NAME, 30)
    settings = world.account.scf.functions[NAME].version("$DEFAULT").settings
    assert (settings["ClsLogsetId"], settings["ClsTopicId"]) == (topic.logset, topic_id)
    world.forget()
    deployed(world)
    assert world.made == []


def test_the_fields_of_the_functions_lines_are_indexed(world: World) -> None:
    """Words as text, numbers as numbers."""
    deployed(world)
    (topic,) = world.account.cls.topics.values()
    fields = fields_of(topic.rule or {})
    assert (fields["level"], fields["event"], fields["duration_ms"]) == ("text", "text", "double")
    assert fields == fields_of(RULE)


def test_a_function_that_is_there_gets_its_topic(world: World) -> None:
    """And a later run without the option leaves it, and lists it."""
    world.deploy()
    world.forget()
    deployed(world)
    assert world.made[:4] == [*MADE, "UpdateFunctionConfiguration"]
    world.forget()
    outcome = world.deploy()
    assert world.made == []
    assert any(line.startswith("log topic") for line in outcome.plan.kept)


def test_a_field_that_is_missing_is_added_and_one_of_others_stays(world: World) -> None:
    """The index is changed in place."""
    deployed(world)
    (topic,) = world.account.cls.topics.values()
    own = {"Type": "long", "Tokenizer": "", "SqlFlag": True, "ContainZH": False}
    pairs = [*RULE["KeyValue"]["KeyValues"][1:], {"Key": "mine", "Value": own}]
    topic.rule = {"KeyValue": {"CaseSensitive": False, "KeyValues": pairs}}
    world.forget()
    deployed(world)
    assert world.made == ["ModifyIndex"]
    assert fields_of(topic.rule) == {**fields_of(RULE), "mine": "long"}


def test_a_topic_of_that_name_that_deploy_did_not_make_is_left_alone(world: World) -> None:
    """Without --adopt; with it the topic is deploy's from then on, and its lines stay."""
    cls = world.account.cls
    cls.call("CreateLogset", {"LogsetName": NAME})
    (logset,) = cls.logsets
    cls.call("CreateTopic", {"LogsetId": logset, "TopicName": NAME, "Describes": "by hand"})
    (topic,) = cls.topics.values()
    with pytest.raises(DeployError, match="log topic ci-callback exists, and deploy did not"):
        deployed(world)
    assert (world.made, topic.description) == ([], "by hand")
    world.deploy(world.job(choices=Choices(logs=True, adopt=True)))
    assert "ModifyTopic" in world.made
    assert "CreateTopic" not in world.made
    world.forget()
    deployed(world)
    assert (world.made, topic.rule == RULE) == ([], True)


@pytest.mark.parametrize("left", [1, 2, 3])
def test_an_interrupted_run_is_finished_by_the_next(world: World, left: int) -> None:
    """Log set alone; with topic; with index."""
    cls = world.account.cls
    cls.call("CreateLogset", {"LogsetName": NAME})
    (logset,) = cls.logsets
    if left > 1:
        marked = {"LogsetId": logset, "TopicName": NAME, "Describes": f"{MARK} {NAME}"}
        cls.call("CreateTopic", marked)
    if left > 2:
        (topic,) = cls.topics
        cls.call("CreateIndex", {"TopicId": topic, "Rule": RULE})
    deployed(world)
    assert [action for action in world.made if action in MADE] == MADE[left:]
    assert (len(cls.logsets), len(cls.topics)) == (1, 1)


def test_the_stand_in_refuses_what_the_service_refuses(world: World) -> None:
    """Names that are taken, what is not there, an index that can't be."""
    deployed(world)
    (logset,) = world.account.cls.logsets
    (topic,) = world.account.cls.topics
    wrong = {"KeyValue": {"CaseSensitive": False, "KeyValues": []}}
    pair = {"Key": "n", "Value": {"Type": "long", "Tokenizer": ",", "SqlFlag": True}}
    for action, params, code in (
        ("CreateLogset", {"LogsetName": NAME}, "InvalidParameter.LogsetConflict"),
        (
            "CreateTopic",
            {"LogsetId": logset, "TopicName": NAME},
            "InvalidParameter.TopicConflict",
        ),
        (
            "CreateTopic",
            {"LogsetId": "gone", "TopicName": "x"},
            "ResourceNotFound.LogsetNotExist",
        ),
        (
            "CreateTopic",
            {"LogsetId": logset, "TopicName": "x", "Period": 0},
            "InvalidParameter",
        ),
        ("CreateIndex", {"TopicId": topic, "Rule": wrong}, "InvalidParameter.IndexConflict"),
        ("DescribeIndex", {"TopicId": "gone"}, "ResourceNotFound.TopicNotExist"),
        (
            "ModifyIndex",
            {"TopicId": topic, "Rule": {"KeyValue": {"CaseSensitive": False, "KeyValues": [pair]}}},
            "InvalidParameter.InvalidIndexRuleForSearchLog",
        ),
    ):
        with pytest.raises(CloudError) as raised:
            world.cloud.call("cls", action, params)
        assert raised.value.code == code
