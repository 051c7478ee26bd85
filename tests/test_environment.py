"""tools/environment.py: what is taken from a lock. tests/slow/test_environment.py runs pip."""

from __future__ import annotations

import pytest

from tools.environment import StepError, only, without

LOCK = "a==1 \\\n    --hash=sha256:1\nb[x, y]==2 \\\n    --hash=sha256:2\n    # via c\nc==3\n"


def test_package_is_left_out_with_its_hashes() -> None:
    """What stays is still a lock with a hash for each."""
    assert without(["b"], LOCK) == "a==1 \\\n    --hash=sha256:1\nc==3\n"


def test_leaving_out_what_is_not_there_must_raise() -> None:
    """When a package is no longer required, the exception for it is removed too."""
    with pytest.raises(StepError, match="b is in the lock 0 times"):
        without(["b"], "a==1\n")


def test_package_is_taken_with_its_hashes() -> None:
    """The pin and its hashes, and no package whose name begins alike."""
    assert only("b", "b-b==1\n" + LOCK) == "b[x, y]==2 \\\n    --hash=sha256:2\n    # via c\n"
