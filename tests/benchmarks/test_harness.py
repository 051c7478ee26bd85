"""The harness in its quickest form: every row is there, and measures what it says.

The peers that need nothing but what the tests have installed; their figures mean nothing here.
"""

from __future__ import annotations

import json
import shutil
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks import certificates, figures, instructions, measure, payloads, rig, trees
from benchmarks.processes import Function, Stub
from handler.callback import envelope, payload

ROOT = Path(__file__).parent.parent.parent
PACKAGES = "certifi crcmod defusedxml idna qcloud_cos requests six.py urllib3 xmltodict.py"
PEERS = ("ours", "typical", "limit", "bare", "typical+pyc", "limit+")

QUICK_COUNTER = instructions.Counter(
    "made up",
    (
        sys.executable,
        "-c",
        "import subprocess, sys, time; done = subprocess.run(sys.argv[1:]); "
        "print('counted', time.monotonic_ns(), file=sys.stderr); sys.exit(done.returncode)",
    ),
    r"counted (\d+)",
)
"""A count of something else: a real one takes minutes (test_instructions.py has it)."""

pytestmark = pytest.mark.slow
"""It starts a process for each figure."""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> trees.Trees:
    """Folders as they are deployed, but linked to what is installed here instead of copied."""
    base = tmp_path_factory.mktemp("trees")
    shown = certificates.make(base / "certificates", trees.NAMES)
    installed = Path(sysconfig.get_paths()["purelib"])
    folders = {}
    for peer in PEERS:
        folder = folders[peer] = base / peer
        folder.mkdir()
        for name in PACKAGES.split() if peer != "bare" else ():
            (folder / name).symlink_to(installed / name)
        if peer != "bare":  # a copy, which trusts the stub
            (folder / "certifi").unlink()
            shutil.copytree(installed / "certifi", folder / "certifi")
            certificates.trust(folder, shown.authority)
        if peer == "ours":
            (folder / "handler").symlink_to(ROOT / "handler")
            shutil.copyfile(ROOT / "index.py", folder / "index.py")
        else:
            plain = peer.removesuffix("+pyc").removesuffix("+")
            shutil.copyfile(trees.PEERS / plain / "index.py", folder / "index.py")
    requirements = base / "requirements"
    shutil.copytree(installed / "defusedxml", requirements / "defusedxml")
    env = {"bare": {"SSL_CERT_FILE": str(shown.authority)}}
    return trees.Trees(Path(sys.executable), folders, env, requirements, shown)


@pytest.fixture(scope="module")
def stub(built: trees.Trees) -> Iterator[Stub]:
    """A stub in a process of its own."""
    with Stub(built.certificates) as server:
        yield server


@pytest.fixture(scope="module")
def table(
    built: trees.Trees, stub: Stub, tmp_path_factory: pytest.TempPathFactory
) -> figures.Table:
    """One run over everything."""
    made = figures.Table({"python": "here"})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trees, "CACHE", tmp_path_factory.mktemp("cache"))
        patch.setattr(instructions, "find", lambda: QUICK_COUNTER)
        measure.SweepContext(built, stub, rig.QUICKEST, made, lambda text: None).run()
    return made


def test_every_bar_finds_its_figures(table: figures.Table) -> None:
    """None reads "not measured": each row that a bar names is there, and holds a number."""
    missing = [bar.name for bar in figures.BARS if bar.holds(table.rows) is None]
    assert missing == []


def test_every_row_of_a_peer_that_reads_callbacks_is_there_for_ours_and_typical(
    table: figures.Table,
) -> None:
    """Side by side: cold, warm, memory, requests, round trips, size."""
    groups = ("cold.", "warm.", "refused.", "memory.1mb", "memory.http", "slow.", "size.plain")
    rows = [
        row
        for key, row in table.rows.items()
        if key.startswith(groups) and not key.startswith("warm.ir.")
    ]
    assert len(rows) >= 20
    assert [row.key for row in rows if not {"ours", "typical"} <= set(row.values)] == []


def test_requests_are_those_that_the_design_promises(table: figures.Table) -> None:
    """The one kind of figure that is the same on every machine."""
    counted = {
        key.removeprefix("requests."): row.of("ours")
        for key, row in table.rows.items()
        if key.startswith("requests.")
    }
    assert counted == {
        "kept": 1,
        "kept_forwarded": 2,
        "idle_forward": 1,
        "duplicate": 2,
        "failed": 2,
        "failed_duplicate": 3,
        "recovered": 3,
        "dead_letter": 2,
        "refused": 0,
        "idle_sweep": 1,
    }
    assert table.rows["requests.kept"].of("typical") == 1
    assert table.rows["requests.dead_letter"].values["typical"] == "lost"


def test_delays_of_the_store_are_in_the_wall_time(table: figures.Table) -> None:
    """One round trip kept, two failed."""
    assert table.rows["slow.kept"].of("ours") >= 20
    assert table.rows["slow.failed"].of("ours") >= 40


def test_growth_has_an_exponent_for_each_kind(table: figures.Table) -> None:
    """Of the body, parse alone, the backlog, queue batches and the ledger."""
    rows = {key for key in table.rows if key.startswith("growth.")}
    assert rows == {
        f"growth.{kind}"
        for kind in (
            "callback",
            "parse_xml",
            "parse_json",
            "backlog",
            "queue",
            "compact",
        )
    }


def test_a_refused_request_imports_no_sdk(table: figures.Table) -> None:
    """What is imported at the first use is not imported before."""
    assert table.rows["refused.sdk"].values == {
        "ours": 0.0,
        "typical": 1.0,
        "typical+pyc": 1.0,
    }


def test_a_function_that_fails_is_no_figure(built: trees.Trees, stub: Stub) -> None:
    """What the child raises comes back as an error."""
    with Function(built.python, built.folders["typical"], stub.env) as function:
        done = function.call(payloads.event("<Response><JobId>1</Res"))
    assert done["error"].startswith("ExpatError")
    with pytest.raises(RuntimeError, match="ExpatError"):
        rig.expect(done, 200)


def test_each_call_has_a_job_of_its_own(built: trees.Trees, stub: Stub) -> None:
    """Else all but the first would be duplicates. `again` makes one."""
    stub.ask("reset")
    event = payloads.event(payloads.documented("Translation", "xml"))
    with Function(built.python, built.folders["ours"], stub.env) as function:
        function.call(event, 3)
        assert stub.ask("count") == {"PUT": 3}
        answer = json.loads(function.call(event, again=True)["answer"]["body"])
    assert answer["jobs"][0]["status"] == "duplicate"
    assert len(stub.ask("keys", prefix="ci/jobs/")) == 3


@pytest.mark.parametrize("form", ["xml", "json"])
@pytest.mark.parametrize("size", [10_000, 2_000_000])
def test_bodies_of_any_size_are_callbacks(form: str, size: int) -> None:
    """Within a per cent of the size that was asked for, and below the function's limits."""
    body = payloads.sized(size, form).encode()
    assert len(body) == pytest.approx(size, rel=0.02)
    tree, read_form = payload.parse(body, payload.Limits())
    (notice,) = envelope.read(tree)
    assert read_form == form
    assert isinstance(notice, envelope.Notice)
