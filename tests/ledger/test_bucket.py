"""bucket.py: what a bucket and a region may be called."""

from __future__ import annotations

import pytest

from handler.ledger.bucket import is_bucket_name, is_region_name


@pytest.mark.parametrize(
    "name",
    [
        "examplebucket-1-1250000000",
        "mybucket123-1250000000",
        "1-newproject-1250000000",
        "a-1250000000",
        "x" * 50 + "-1250000000",
        "a--b-1250000000",
    ],
)
def test_a_bucket_name_has_its_appid(name: str) -> None:
    """The first three are COS's own examples (436/13312)."""
    assert is_bucket_name(name)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "records",
        "-1250000000",
        "-a-1250000000",
        "a--1250000000",
        "A-1250000000",
        "a_b-1250000000",
        "a.b-1250000000",
        "a/b-1250000000",
        "a-1250000000\n",
        "a-125000000x",
        "x" * 51 + "-1250000000",
        "é-1250000000",
        "a-١٢٥٠٠٠٠٠٠٠",
    ],
)
def test_other_texts_are_no_bucket_name(name: str) -> None:
    """Each would become a part of a host name."""
    assert not is_bucket_name(name)


def test_a_bucket_name_fits_a_dns_label() -> None:
    """At most 63 characters."""
    assert is_bucket_name("x" * 50 + "-" + "1" * 12)
    assert not is_bucket_name("x" * 50 + "-" + "1" * 13)


@pytest.mark.parametrize("name", ["ap-guangzhou", "ap-shanghai-fsi", "sg", "a" * 40])
def test_a_region_name(name: str) -> None:
    """As COS lists them (436/6224)."""
    assert is_region_name(name)


@pytest.mark.parametrize(
    "name", ["", "a", "ap-", "-ap", "ap--x", "ap.guangzhou", "Ap-x", "ap-x\n", "ap/x", "a" * 41]
)
def test_other_texts_are_no_region_name(name: str) -> None:
    """Each would become a part of a host name."""
    assert not is_region_name(name)
