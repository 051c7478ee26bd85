"""families.py: which family a job belongs to, and what its table says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from handler.callback import tree
from handler.callback.added_nodes import (
    INPUT_READ_ONLY,
    NESTED_RESULTS,
    RENAMES,
    RESULT_NODES,
    RESULT_SUFFIX,
)
from handler.callback.catalogue import TAGS, family_of
from handler.callback.families import FAMILIES
from handler.callback.payload import Limits, parse

PAYLOADS = Path(__file__).parents[1] / "payloads"

SAMPLES = {
    # Tag: a JobId of the documents' own samples
    "Transcode": "j8d121820f5e411ec926ef19d53ba9c6f",
    "SplitVideoParts": "j0d7759e6ed6d11edb28000000000000",
    "PicProcess": "c93984788066911ed89ed352d4d9d2084",
    "PosterProduction": "c93984788066911ed89ed352d4d9d2084",
    "Translation": "a8d121820f5e411ec926ef19d53ba9c6f",
    "ImageOCR": "a3c193f288b2c11eeb60f39de2f86f409",
    "SpeechRecognition": "s58ccb634149211ed84ce2b1cd7fbb14a",
    "VocalScore": "s229aa658254311eeaf90856735d7e87d",
    "DocProcess": "d89c4cf4a728311ebb1229f23e6c9963b",
    "FileHashCode": "f93984788066911ed89ed352d4d9d2084",
}


@pytest.mark.parametrize(("tag", "job_id"), SAMPLES.items())
def test_tag_and_letter_agree_in_the_samples_of_the_documents(tag: str, job_id: str) -> None:
    """So that the letter may stand in where a tag is new."""
    by_tag = family_of(tag, "")
    assert by_tag is not None
    assert family_of("ATagOfTomorrow", job_id) is by_tag
    assert family_of(None, job_id) is by_tag


def test_the_tag_has_the_first_say() -> None:
    """The letter is nowhere promised."""
    family = family_of("VideoTag", "a8d121820f5e411ec926ef19d53ba9c6f")
    assert family is FAMILIES["media"]


def test_a_batch_has_no_family() -> None:
    """Its tag is that of the jobs that it starts, and it is submitted in a way of its own."""
    assert family_of("Transcode", "b3deffea2f84911ec9cb15254008618d9") is None


@pytest.mark.parametrize("job_id", ["", "i6fc78", "b0c0", "J8d1", "é"])
def test_a_job_without_tag_and_letter_has_no_family(job_id: str) -> None:
    """A workflow's run and a batch are no jobs; guessing would ask CI at a wrong path."""
    assert family_of(None, job_id) is None
    assert family_of("ATagOfTomorrow", job_id) is None


def test_every_tag_belongs_to_a_family_with_jobs() -> None:
    """Workflows have no tag."""
    assert set(FAMILIES) - {tag.family_name for tag in TAGS.values()} == {"workflow"}


def test_letters_are_one_each() -> None:
    """Otherwise a letter would not tell."""
    letters = [family.letter for family in FAMILIES.values() if family.letter]
    assert sorted(letters) == ["a", "c", "d", "f", "j", "s"]


@pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES)
def test_paths_are_single_segments(family: Any) -> None:
    """A slash and an id are put behind them."""
    paths = (
        family.create_path,
        family.older_create_path,
        family.describe_path,
        family.list_path,
    )
    assert all(path.startswith("/") and path.count("/") == 1 for path in paths if path)


@pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES)
def test_a_list_that_is_not_known_proves_nothing(family: Any) -> None:
    """UserData can only be known from a list that is."""
    assert family.list_known or not family.user_data_known
    assert family.list_path or not family.list_known


def test_only_lists_with_a_sample_count() -> None:
    """Where it is not known, a job that a list does not show may well be there."""
    known = {name for name, family in FAMILIES.items() if family.user_data_known}
    assert known == {"media", "picture", "ai", "speech"}


def test_nothing_of_a_result_is_named_like_a_request_node() -> None:
    """The nodes of the documents' requests, as they stand below Operation."""
    request_nodes = {
        "Output",
        "UserData",
        "JobLevel",
        "TemplateId",
        "Transcode",
        "Watermark",
        "Translation",
        "SplitVideoParts",
        "DocProcess",
        "TtsConfig",
        "QualityEstimateConfig",
        "FileUncompressConfig",
        "PicProcess",
        "ImageInspect",
        "SpeechRecognition",
    }
    assert not request_nodes & RESULT_NODES
    assert not any(name.endswith(RESULT_SUFFIX) for name in request_nodes)


def test_results_of_the_sample_are_recognised() -> None:
    """What CI added to the job, and that alone."""
    node, _ = parse((PAYLOADS / "SplitVideoParts.seed.xml").read_bytes(), Limits())
    operation = tree.get(node, "Response.JobsDetail.Operation")
    sent = tree.get(node, "Response.JobsDetail.Input")
    assert isinstance(operation, dict)
    assert isinstance(sent, dict)
    assert set(operation) - RESULT_NODES == {"JobLevel", "SplitVideoParts"}
    assert set(sent) - INPUT_READ_ONLY == {"Object"}


def test_paths_begin_below_the_detail() -> None:
    """So one walk serves secrets, results and renames."""
    paths = (*NESTED_RESULTS, *(path for path, _ in RENAMES))
    assert all(path.startswith("Operation.") for path in paths)
