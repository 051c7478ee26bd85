"""One message out of many entries: grouped, counted, cut in bytes, harmless."""

from __future__ import annotations

import json
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handler.alerts.digest import KINDS, Entry, Message, compose, fold, harmless
from handler.alerts.services import SERVICES

LANGS: tuple[Literal["zh", "en"], ...] = ("en", "zh")


def entry(kind: str = "failed", job_id: str = "j1", **values: Any) -> Entry:
    """An entry of a Transcode job that failed at its first attempt."""
    known: dict[str, Any] = {
        "tag": "Transcode",
        "code": "InvalidArgument",
        "root_job_id": job_id,
        "attempts": 1,
        "object": "media-1250000000/in/a.mp4",
        "message": "the input has no video",
        "note": "",
    }
    return Entry(kind=kind, job_id=job_id, **(known | values))


def text(*entries: Entry, lang: Literal["zh", "en"] = "en", max_bytes: int = 100_000) -> str:
    """What a person reads of these entries."""
    return compose(entries, lang, "d1").text(max_bytes)


# --- what is told --------------------------------------------------------------------------


def test_a_failure_is_reported_with_all_that_helps() -> None:
    """One failed job: what, which, how often tried, of what, why, and what to do next."""
    assert text(entry()).splitlines() == [
        "[Cloud Infinite] Failed: 1",
        "■ Failed: 1",
        "  → The input or a parameter is probably wrong: read the message, put it right, submit "
        "again. If a retry is running, another alert reports its result.",
        "  · Transcode / InvalidArgument: 1",
        "    jobs: j1",
        "    attempts made: 1",
        "    input: media-1250000000/in/a.mp4",
        "    message: the input has no video",
    ]


def test_the_same_in_chinese() -> None:
    """ALERT_LANG=zh gives the same lines in Chinese."""
    assert text(entry(note="备"), lang="zh").splitlines() == [
        "[数据万象] 任务失败：1",
        "■ 任务失败：1",
        "  → 多为输入文件或参数有误：查看错误信息，修正后重新提交。若正在重试，结果会再通知。",
        "  · Transcode / InvalidArgument：1",
        "    任务：j1",
        "    已尝试次数：1",
        "    输入：media-1250000000/in/a.mp4",
        "    错误信息：the input has no video",
        "    备注：备",
    ]


def test_what_an_entry_does_not_have_is_left_out() -> None:
    """A dead letter has no job, attempt or input: it is told by its key."""
    shown = text(entry("dead", "", tag=None, code="", attempts=0, object="", message="", note="k"))

    assert shown.splitlines()[3:] == ["  · - / -: 1", "    note: k"]


def test_a_resubmitted_job_is_reported_with_the_one_its_owner_knows() -> None:
    """Root and re-submitted job, where they differ."""
    shown = text(entry("gave-up", "j9", root_job_id="j1", attempts=3))

    assert "jobs: j1 → j9" in shown
    assert "attempts made: 3" in shown


def test_an_entry_without_a_job_names_its_root() -> None:
    """Held: the new job is not known, the one that failed is."""
    assert "jobs: r7" in text(entry("held", "", root_job_id="r7"))


def test_a_job_without_a_root_names_itself() -> None:
    """A root that is not known is not shown."""
    assert "jobs: j1\n" in text(entry(root_job_id=""))


def test_entries_are_grouped_by_kind_then_tag_and_code() -> None:
    """The most urgent kind first; in it the largest group; in it each job."""
    shown = text(
        entry("recovered", "r1", root_job_id="other"),
        entry("failed", "a1", code="A"),
        entry("failed", "b1", code="B"),
        entry("failed", "b2", code="B", attempts=3, object="bucket/b2"),
        entry("failed", "b3", code="B", tag="Snapshot"),
        entry("gave-up", "g1"),
    )

    headings = [line for line in shown.splitlines() if line[0] == "■" or line.startswith("  ·")]
    assert shown.startswith(
        "[Cloud Infinite] Gave up after the last attempt: 1; Failed: 4; Recovered by"
    )
    assert headings == [
        "■ Gave up after the last attempt: 1",
        "  · Transcode / InvalidArgument: 1",
        "■ Failed: 4",
        "  · Transcode / B: 2",
        "  · Snapshot / B: 1",
        "  · Transcode / A: 1",
        "■ Recovered by a retry: 1",
        "  · Transcode / InvalidArgument: 1",
    ]
    assert "jobs: b1, b2" in shown
    assert "attempts made: 1–3" in shown
    assert "input: media-1250000000/in/a.mp4, bucket/b2" in shown


@pytest.mark.parametrize(
    ("lang", "jobs", "inputs"),
    [
        ("en", "j0, j1, j2, j3, j4 and 3 more", "o0, o1, o2 and 5 more"),
        ("zh", "j0、j1、j2、j3、j4 等 8 项", "o0、o1、o2 等 8 项"),
    ],
)
def test_the_first_few_are_named(lang: Literal["zh", "en"], jobs: str, inputs: str) -> None:
    """Five jobs and three objects by name, the rest by number."""
    shown = text(*(entry(job_id=f"j{i}", object=f"o{i}") for i in range(8)), lang=lang)

    assert jobs in shown
    assert inputs in shown


def test_many_codes_leave_room_for_the_other_kinds() -> None:
    """Twenty pairs of tag and code are told, the rest is counted; then the next kind."""
    shown = text(*(entry(job_id=f"j{i}", code=f"C{i}") for i in range(25)), entry("partial", "p"))

    assert shown.count("  · Transcode / C") == 20
    assert "  … and 5 more, of other tags or codes\n■ Succeeded in part: 1" in shown


@pytest.mark.parametrize("lang", LANGS)
def test_every_kind_says_what_it_is_and_what_to_do(lang: Literal["zh", "en"]) -> None:
    """The design's kinds, each with a name and a next step of its own in both languages."""
    shown = [KINDS[name].texts(lang) for name in KINDS]

    assert set(KINDS) == {
        *("failed", "partial", "gave-up", "recovered", "refused", "held", "mismatch"),
        *("unknown", "unmarked", "duplicate", "conflict", "dead", "absent", "sweep"),
        *("paused", "undelivered"),
    }
    assert len({title for title, _ in shown}) == len({todo for _, todo in shown}) == len(KINDS)
    for name, (title, what_next) in zip(KINDS, shown, strict=True):
        assert f"■ {title}" in text(entry(name), lang=lang)
        assert f"  → {what_next}" in text(entry(name), lang=lang)


def test_a_kind_from_a_later_version_is_reported_all_the_same() -> None:
    """An unknown kind comes last, under its own name: an alert is never lost for its name."""
    shown = text(entry("brand-new@kind"), entry("recovered", "j2"))

    assert shown.startswith("[Cloud Infinite] Recovered by a retry: 1; brand-new＠kind: 1\n")
    for lang in LANGS:
        assert text(entry("brand-new"), lang=lang).splitlines()[2] == "  → -"


def test_attempts_are_the_fewest_to_the_most() -> None:
    """What lies between is not listed."""
    several = [entry("gave-up", f"j{made}", attempts=made) for made in (4, 2, 3, 2)]
    assert "    attempts made: 2–4" in text(*several).splitlines()


@pytest.mark.parametrize("lang", LANGS)
def test_without_entries_there_is_a_message_still(lang: Literal["zh", "en"]) -> None:
    """Nothing to tell is said in words; the body is empty."""
    message = compose([], lang, "d1")

    assert message.title in ("[Cloud Infinite] nothing to report", "[数据万象] 没有告警")
    assert message.body(100) == ""
    assert message.body(0) == ""


# --- folding -------------------------------------------------------------------------------


def test_a_recovered_job_is_not_reported_as_failed() -> None:
    """failed and gave-up of one root fold into its recovered; those of others stay."""
    kept = fold(
        [
            entry("failed", "j1"),
            entry("gave-up", "j2", root_job_id="j1"),
            entry("partial", "j1"),
            entry("failed", "other"),
            entry("recovered", "j3", root_job_id="j1", attempts=3),
        ]
    )

    assert [(kept_entry.kind, kept_entry.job_id) for kept_entry in kept] == [
        ("partial", "j1"),
        ("failed", "other"),
        ("recovered", "j3"),
    ]


def test_entries_without_a_root_fold_into_nothing() -> None:
    """Two roots that are not known are not the same one."""
    both = (entry("failed", "", root_job_id=""), entry("recovered", "j", root_job_id=""))

    assert fold(both) == both


def test_compose_folds_by_itself() -> None:
    """No caller can forget it."""
    assert compose([entry("failed"), entry("recovered")], "en", "d").title == (
        "[Cloud Infinite] Recovered by a retry: 1"
    )


# --- limits --------------------------------------------------------------------------------


@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize("limit", sorted({s.text_bytes for s in SERVICES.values()}))
@pytest.mark.parametrize("codes", [1, 1000])
def test_a_thousand_failures_fit_every_limit(
    lang: Literal["zh", "en"], limit: int, codes: int
) -> None:
    """One message, in bytes and not in characters, that still tells the true counts."""
    entries = [
        entry(
            job_id=f"任务{i}", code=f"C{i % codes}", message="输入文件没有视频流" * 30, tag="转码"
        )
        for i in range(1000)
    ]

    shown = text(*entries, *(entry("dead", "") for _ in range(7)), lang=lang, max_bytes=limit)

    assert len(shown.encode()) <= limit
    first = shown.splitlines()[0]
    assert "1000" in first
    assert "7" in first


@pytest.mark.parametrize(
    ("limit", "expected"),
    [
        (23, "12345678\nabcdefgh\nxyz12"),
        (100, "12345678\nabcdefgh\nxyz12"),
        (22, "12345678"),
        (7, "1234567"),
        (0, ""),
        (-5, ""),
    ],
)
def test_a_text_is_cut_where_a_line_ends(limit: int, expected: str) -> None:
    """Whole lines while they fit. Where not even a tail fits, the title alone, cut."""
    assert Message("d", "12345678", ("abcdefgh", "xyz12")).text(limit) == expected


@pytest.mark.parametrize(
    ("limit", "tail"), [(40, "… and 8 more lines"), (98, "… and 3 more lines"), (99, None)]
)
def test_a_cut_text_says_how_much_is_missing(limit: int, tail: str | None) -> None:
    """The last line counts the lines that were left out."""
    message = Message("d", "title....", tuple(f"line {i}..." for i in range(9)))

    shown = message.text(limit).splitlines()

    assert shown[-1] == (tail or "line 8...")
    assert tail is None or len(shown) - 1 + int(tail.split()[2]) == 10


def test_one_missing_line_is_one() -> None:
    """The singular, in both languages."""
    lines = ("a" * 10, "b" * 60)

    assert Message("d", "t", lines).text(60).splitlines()[-1] == "… and 1 more line"
    assert Message("d", "t", lines, "zh").text(60).splitlines()[-1] == "……另有 1 行"
    assert Message("d", "t", (*lines, "c"), "zh").text(60).splitlines()[-1] == "……另有 2 行"


def test_a_cut_never_splits_a_character() -> None:
    """配 has three bytes: of seven, six are used."""
    assert Message("d", "配配配", ()).text(7) == "配配"


def test_the_body_leaves_the_title_to_others() -> None:
    """For a mail or Apprise, which show the title elsewhere; cut in the same way."""
    message = Message("d", "title", ("one", "two" * 20))

    assert message.body(100) == "one\n" + "two" * 20
    assert message.body(30) == "one\n… and 1 more line"


def test_what_a_service_escapes_counts() -> None:
    """The limit is on what is sent: five bytes for each &."""
    message = Message("d", "t", ("&" * 10,))

    assert message.text(12, lambda line: line.replace("&", "&amp;")) == "t"
    assert message.text(52, lambda line: line.replace("&", "&amp;")) == "t\n" + "&amp;" * 10


@given(
    lines=st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=30), max_size=30),
    limit=st.integers(0, 300),
    lang=st.sampled_from(LANGS),
)
def test_no_text_is_ever_over_its_limit(
    lines: list[str], limit: int, lang: Literal["zh", "en"]
) -> None:
    """Whatever the lines hold, the bytes stay within the limit and are whole characters."""
    shown = Message("d", "title", tuple(lines), lang).text(limit)

    assert len(shown.encode("utf-8")) <= limit


# --- harmless ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("two\r\nlines\ttab", "two  lines tab"),
        ("\x1b[31mred\x00\x7f", "[31mred"),
        ("<@all> <!channel> @everyone", "＜＠all＞ ＜!channel＞ ＠everyone"),
        ('<at user_id="all">所有人</at>', '＜at user_id="all"＞所有人＜/at＞'),
        ("safe\u202etxt.exe\u2028end", "safe txt.exe end"),
        ("lone \ud800 surrogate", "lone   surrogate"),
        ("配置 café 🎬", "配置 café 🎬"),
        ("x" * 201, "x" * 200 + "…"),
        ("x" * 200, "x" * 200),
        ("", ""),
    ],
)
def test_text_from_outside_is_made_harmless(sent: str, shown: str) -> None:
    """One line, nothing that moves a cursor, turns the writing or calls people; 200 characters."""
    assert harmless(sent) == shown


@pytest.mark.parametrize("name", ["tag", "code", "job_id", "root_job_id", "object", "message"])
def test_every_value_from_outside_goes_through_it(name: str) -> None:
    """A line break in any field makes no line of its own, a mention calls nobody."""
    values: dict[str, Any] = {"job_id": "j1"} | {name: "evil\n■ Nothing failed <@all>"}

    shown = text(entry(**values))

    assert "\n■ Nothing" not in shown
    assert "@" not in shown
    assert "<" not in shown


# --- keeping -------------------------------------------------------------------------------


@pytest.mark.parametrize("lang", LANGS)
def test_a_message_survives_being_kept(lang: Literal["zh", "en"]) -> None:
    """A digest on its way is JSON in the ledger, and the same message again afterwards."""
    message = compose([entry(message="缺少视频流")], lang, "1790000000-ab12")

    assert Message.from_dict(json.loads(json.dumps(message.to_dict()))) == message


@pytest.mark.parametrize(
    "change",
    [
        {"id": 1},
        {"title": None},
        {"lines": "one line"},
        {"lines": [1]},
        {"lines": None},
        {"lang": "fr"},
        {"lang": []},
    ],
)
def test_what_is_no_message_must_raise(change: dict[str, Any]) -> None:
    """Something else in the ledger's place is told apart, not sent."""
    kept = Message("d", "t", ("l",)).to_dict()

    with pytest.raises(ValueError, match="not a message"):
        Message.from_dict(kept | change)
    with pytest.raises(ValueError, match="not a message"):
        Message.from_dict({name: kept[name] for name in kept if name not in change})
