"""The families of CI's jobs, as data: endpoints, and what is known of their lists.

Sources, with the number of the page under cloud.tencent.com/document where there is one:
submit and list pages of each family; list of all families 460/84766 (2025-12-03), in
English 1045/73114; describe 436/120621; file jobs 436/116003 and
436/116004; document jobs 436/54096 and 1250/109275; workflows 436/76863 and 436/80048.
Paths are relative to the host <bucket>.ci.<region>.myqcloud.com.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple, TypeAlias

FamilyName: TypeAlias = Literal["media", "picture", "ai", "speech", "document", "file", "workflow"]


class Family(NamedTuple):
    """Jobs that CI keeps in one place and speaks of in one way."""

    name: FamilyName
    letter: str | None
    """What its JobIds begin with: so in every sample, though no page promises it."""
    create_path: str
    older_create_path: str | None
    """Where older pages send the same body; None where there never was another."""
    describe_path: str
    """A slash and the JobId follow."""
    list_path: str | None
    """None where CI has no list by tag."""
    queue_type: str | None
    """queueType of the list; None where it would hide jobs, or is no parameter of the page."""
    list_known: bool
    """Whether a page documents the list of this family."""
    user_data_known: bool
    """Whether the documents show that this list gives a job back with its UserData."""
    detail_node: str = "JobsDetail"
    id_node: str = "JobId"


FAMILIES: Mapping[str, Family] = {
    family.name: family
    for family in (
        # UserData: sample of the list page DescribeMediaJobs. No queueType: speed transcoding
        # has a queue of its own, and newer pages count voice jobs among smart audio (1045/73370,
        # 1045/73375), so Transcoding might hide jobs; the list requires only the tag.
        Family(
            name="media",
            letter="j",
            create_path="/jobs",
            older_create_path=None,
            describe_path="/jobs",
            list_path="/jobs",
            queue_type=None,
            list_known=True,
            user_data_known=True,
        ),
        # UserData: sample of the list page DescribePicJobs (there under /pic_jobs).
        Family(
            name="picture",
            letter="c",
            create_path="/jobs",
            older_create_path="/pic_jobs",
            describe_path="/jobs",
            list_path="/jobs",
            queue_type="PicProcess",
            list_known=True,
            user_data_known=True,
        ),
        # UserData: sample of the list page of content recognition, GET /jobs?tag=Translation.
        Family(
            name="ai",
            letter="a",
            create_path="/jobs",
            older_create_path="/ai_jobs",
            describe_path="/jobs",
            list_path="/jobs",
            queue_type="AIProcess",
            list_known=True,
            user_data_known=True,
        ),
        # UserData: the list page (436/47597) gives the JobsDetail of the submit page, whose
        # sample answer has it. The list page itself prints no sample with it.
        Family(
            name="speech",
            letter="s",
            create_path="/jobs",
            older_create_path="/asr_jobs",
            describe_path="/jobs",
            list_path="/jobs",
            queue_type="Speeching",
            list_known=True,
            user_data_known=True,
        ),
        # The list is documented (436/54096), without queueType and inputObject. UserData: the
        # submit page does not name it, the SDK's method can't send it, and the one real
        # capture of the list (cos-php-sdk-v5, issue 295) is of jobs sent without: not known.
        Family(
            name="document",
            letter="d",
            create_path="/doc_jobs",
            older_create_path=None,
            describe_path="/doc_jobs",
            list_path="/doc_jobs",
            queue_type=None,
            list_known=True,
            user_data_known=False,
        ),
        # No list page of its own. 460/84766 names the queueType FileProcess, but no sample
        # shows a file job in a list; the describe page does show UserData.
        Family(
            name="file",
            letter="f",
            create_path="/jobs",
            older_create_path="/file_jobs",
            describe_path="/file_jobs",
            list_path="/jobs",
            queue_type="FileProcess",
            list_known=False,
            user_data_known=False,
        ),
        # A run takes no UserData, and its list (GET /workflowexecution) wants a workflowId
        # and gives rows of five fields.
        Family(
            name="workflow",
            letter=None,
            create_path="/triggerworkflow",
            older_create_path=None,
            describe_path="/workflowexecution",
            list_path=None,
            queue_type=None,
            list_known=False,
            user_data_known=False,
            detail_node="WorkflowExecution",
            id_node="RunId",
        ),
    )
}

LETTER_FAMILY: Mapping[str, Family] = {
    family.letter: family for family in FAMILIES.values() if family.letter
}
"""By the letter that JobIds begin with."""
