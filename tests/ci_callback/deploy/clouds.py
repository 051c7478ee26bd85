"""Tencent Cloud on this machine, for tests of whole commands."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ci_callback.cloud_simulator import deployed
from ci_callback.deploy import carry_out, patience, verify
from ci_callback.devserver.local_cloud import LocalCloud
from tests.ci_callback.deploy.direct import direct
from tests.ci_callback.deploy.world import bundle
from tests.ci_callback.deploy.zipped import unpacked, whole_function


@contextmanager
def local_cloud(folder: Path, as_elsewhere: bool = False) -> Iterator[LocalCloud]:
    """For the command, which passes no clock and runs in this folder. as_elsewhere: nothing is
    shortened, the SDK asks by HTTP and each function is unpacked from its zip.

    own.zip there holds the function, empty.zip an entry file alone."""
    (folder / "own.zip").write_bytes(whole_function().code)
    (folder / "empty.zip").write_bytes(bundle().code)
    with pytest.MonkeyPatch.context() as patched:
        patched.chdir(folder)
        patched.setattr(carry_out, "POLL_S", 0.0)
        patched.setattr(patience, "PAUSES_S", (0.0,) * 6)
        patched.setattr(verify, "SWEPT_POLL_S", 0.05)
        patched.setattr(verify, "REACHED_POLL_S", 0.0)
        with LocalCloud(folder / "cloud") as made:
            if as_elsewhere:
                yield made
                return
            patched.setattr(deployed, "from_zip", unpacked)
            with direct(made.url, made.account.answer):
                yield made
