"""What tools/bundle.py builds: what is in it, and that it runs with nothing beside it.

A build takes seconds of pip: what needs one is slow.
"""

from __future__ import annotations

import importlib.util
import json
import marshal
import re
import stat
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests import cold_modules
from tests.ci_callback.deploy.zipped import unpacked_function
from tests.conftest import PAYLOADS
from tests.fake_cos import FakeCos
from tools.bundle import LEFT_OUT, BundleError, find_python, main, runtime_version

ROOT = Path(__file__).parent.parent

JOB_ID = "ac34be3aa0bf411ed9ce39d7cc972e427"
CALLBACK = f"""<Response>
<EventName>TaskFinish</EventName>
<JobsDetail>
<Code>Success</Code>
<CreationTime>2022-07-25T16:35:39+0800</CreationTime>
<EndTime>2022-07-25T16:35:43+0800</EndTime>
<Input><Object>input/en.pdf</Object><Lang>en</Lang><Type>pdf</Type></Input>
<JobId>{JOB_ID}</JobId>
<Message>Success</Message>
<Operation>
<Output><Region>ap-chongqing</Region><Bucket>test-123456789</Bucket>
<Object>output/zh.pdf</Object></Output>
<Translation><Lang>zh</Lang><Type>pdf</Type></Translation>
</Operation>
<QueueId>pbde29b842b1b4e2ea4f0b20d264fcec2</QueueId>
<StartTime>2022-07-25T16:35:39+0800</StartTime>
<State>Success</State>
<Tag>Translation</Tag>
</JobsDetail>
</Response>"""


def run_tool(*args: str) -> subprocess.CompletedProcess[str]:
    """Run the tool as a command."""
    command = [sys.executable, "-m", "tools.bundle", *args]
    return subprocess.run(command, check=False, capture_output=True, text=True, cwd=ROOT)


def build(output: Path) -> Path:
    """Build as `make bundle` does, for the Python that runs the tests; the zip."""
    done = run_tool("--python", sys.executable, "--output", str(output))
    assert done.returncode == 0, done.stderr
    assert "function.zip" in done.stdout
    return output / "function.zip"


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The zip."""
    return build(tmp_path_factory.mktemp("bundle"))


@pytest.fixture(scope="module")
def names(bundle: Path) -> list[str]:
    """The names in the zip, in its order."""
    with zipfile.ZipFile(bundle) as archive:
        return archive.namelist()


@pytest.fixture(scope="module")
def deployed(bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The zip as the platform lays it out: alone in a folder that can't be written to."""
    folder = tmp_path_factory.mktemp("deployed") / "user"
    with zipfile.ZipFile(bundle) as archive:
        archive.extractall(folder)
    everything = [folder, *folder.rglob("*")]
    for path in everything:
        path.chmod(0o555 if path.is_dir() else 0o444)
    yield folder
    for path in everything:
        path.chmod(0o755 if path.is_dir() else 0o644)


@pytest.fixture(params=["sources", pytest.param("bundle", marks=pytest.mark.slow)])
def laid_out(request: pytest.FixtureRequest) -> Path:
    """A folder with the function alone: of its sources, which takes no build, or of the bundle."""
    if request.param == "sources":
        return unpacked_function().folder
    folder: Path = request.getfixturevalue("deployed")
    return folder


def run(folder: Path, code: str, *args: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Run code that finds Python's own library and this folder, and no installed package.

    Bytecode may be written (no -B): whatever lacks its own would leave a trace.
    """
    script = f"import sys; sys.path.insert(0, {str(folder)!r})\n{code}"
    return subprocess.run(
        [sys.executable, "-I", "-S", "-W", "error", "-c", script, *args],
        check=False,
        capture_output=True,
        text=True,
        env=env,
        cwd=folder.parent,
    )


def listing(folder: Path) -> dict[str, tuple[int, int]]:
    """Each path below a folder with its size and the time of its last change."""
    stats = {str(path): path.stat() for path in folder.rglob("*")}
    return {path: (file_stat.st_size, file_stat.st_mtime_ns) for path, file_stat in stats.items()}


@pytest.mark.slow
def test_the_entry_file_is_where_the_platform_looks_for_it(names: list[str]) -> None:
    """The platform loads index.py from the root."""
    assert "index.py" in names
    assert "handler/app.py" in names


@pytest.mark.slow
@pytest.mark.parametrize(
    "unwanted",
    [
        r"^Crypto/",
        r"^ci_callback/",
        r"(^|/)\.",
        r"^bin/",
        r"\.(dist|egg)-info/",
        r"(^|/)tests?(/|\.)",
        r"^(tools|dist)/",
        r"^(requirements|serverless|Makefile)",
        r"\.(so|pyd|dll|dylib|c|pyx)$",
    ],
)
def test_nothing_that_the_function_does_not_need_is_in_it(names: list[str], unwanted: str) -> None:
    """Each of these costs time at a cold start, or shows what is nobody's business."""
    assert [name for name in names if re.search(unwanted, name)] == []


@pytest.mark.slow
def test_every_module_has_its_bytecode(names: list[str]) -> None:
    """The code folder is read-only there: what is not compiled is compiled at each cold start."""
    modules = [name for name in names if name.endswith(".py")]
    missing = [name for name in modules if importlib.util.cache_from_source(name) not in names]
    assert missing == []
    assert {"handler/app.py", "qcloud_cos/cos_client.py", "index.py"} <= set(modules)


@pytest.mark.slow
def test_bytecode_is_taken_without_a_look_at_the_source(bundle: Path) -> None:
    """Flags 1: by hash, and unchecked. A zip rounds times, so a time would not match."""
    with zipfile.ZipFile(bundle) as archive:
        flags = {
            int.from_bytes(archive.read(name)[4:8], "little")
            for name in archive.namelist()
            if name.endswith(".pyc")
        }
    assert flags == {1}


@pytest.mark.slow
def test_it_trusts_the_authorities_of_certifi_from_a_folder(deployed: Path) -> None:
    """The same certificates, no more and no fewer; the function's TLS context looks in there."""
    code = """
import sys
from handler.connections import _tls_context
assert _tls_context().verify_mode.name == "CERT_REQUIRED" and _tls_context().check_hostname
assert "certifi" not in sys.modules
import certifi, pathlib, ssl
whole = ssl.create_default_context(cafile=certifi.where()).get_ca_certs(binary_form=True)
folder = pathlib.Path(certifi.__file__).parent.parent / "handler" / "ca"
split = [ssl.PEM_cert_to_DER_cert(path.read_text()) for path in folder.iterdir()]
assert len(whole) > 100 and sorted(whole) == sorted(split), (len(whole), len(split))
"""
    done = run(deployed, code)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.slow
def test_bytecode_names_its_source_within_the_bundle(bundle: Path) -> None:
    """Where it was built is nobody's business, and would make two builds differ."""
    with zipfile.ZipFile(bundle) as archive:
        named = {
            name: marshal.loads(archive.read(name)[16:]).co_filename
            for name in archive.namelist()
            if name.endswith(".pyc")
        }
    assert named == {name: importlib.util.source_from_cache(name) for name in named}


@pytest.mark.slow
def test_a_licence_goes_with_every_package(names: list[str]) -> None:
    """All that requirements.txt names is there with its licence, but what is left out."""
    pinned = re.findall(r"(?m)^([\w.-]+)==([\w.]+)", (ROOT / "requirements.txt").read_text())
    wanted = {
        f"{name.replace('-', '_')}-{version}" for name, version in pinned if name not in LEFT_OUT
    }
    assert {name.split("/")[1] for name in names if name.startswith("licences/")} == wanted


@pytest.mark.slow
def test_folder_holds_what_the_zip_holds(bundle: Path, names: list[str]) -> None:
    """serverless.yml uploads the folder, the console takes the zip."""
    folder = bundle.parent / "function"
    held = sorted(
        path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()
    )
    assert held == names


@pytest.mark.slow
def test_two_builds_give_the_same_bytes(bundle: Path, tmp_path: Path) -> None:
    """So that a bundle can be compared with what is deployed."""
    assert build(tmp_path).read_bytes() == bundle.read_bytes()


@pytest.mark.slow
def test_modes_let_the_platform_read(bundle: Path) -> None:
    """A zip without Unix modes unpacks to files that nobody may read."""
    with zipfile.ZipFile(bundle) as archive:
        modes = {stat.filemode(entry.external_attr >> 16) for entry in archive.infolist()}
    assert modes == {"-rw-r--r--"}


@pytest.mark.slow
def test_callback_is_kept_from_the_unpacked_zip(deployed: Path, tmp_path: Path) -> None:
    """As deployed: nothing installed, nothing written beside the code, a record in the ledger."""
    event = {
        "httpMethod": "POST",
        "path": "/",
        "headers": {"content-type": "application/xml"},
        "queryString": {"token": "first-token"},
        "body": CALLBACK,
    }
    context = {"request_id": "request-1", "time_limit_in_ms": 55_000}
    before = listing(deployed)
    done = run(
        deployed,
        "import index, json\n"
        "answer = index.main_handler(*(json.loads(text) for text in sys.argv[1:]))\n"
        "print(json.dumps(answer))",
        json.dumps(event),
        json.dumps(context),
        LEDGER_URL=f"file:{tmp_path}/ledger",
        CALLBACK_TOKENS="first-token",
        TENCENTCLOUD_RUNENV="SCF",
    )
    assert (done.returncode, done.stderr) == (0, "")
    *log, last = done.stdout.splitlines()
    answer = json.loads(last)
    assert answer["statusCode"] == 200
    assert json.loads(answer["body"])["jobs"][0]["status"] == "kept"
    assert [json.loads(line)["level"] for line in log] == ["INFO"]
    assert kept_record(tmp_path / "ledger")["job_id"] == JOB_ID
    assert listing(deployed) == before


@pytest.mark.slow
@pytest.mark.parametrize("path", sorted(PAYLOADS.glob("*.seed.*")), ids=lambda path: path.name)
def test_documented_callbacks_reach_cos_from_the_unpacked_zip(
    deployed: Path, cos: FakeCos, path: Path
) -> None:
    """The SDK in the bundle makes the one request, signed, and its record is there."""
    before = listing(deployed)
    code = """
import index, json, sys
event = {"httpMethod": "POST", "path": "/", "body": sys.argv[1]}
print(json.dumps(index.main_handler(event, {})), file=sys.stderr)
"""
    done = run(deployed, code, path.read_text(), **cos.env)
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stderr)
    assert answer["statusCode"] == 200, done.stdout
    (job,) = json.loads(answer["body"])["jobs"]
    assert cos.requests() == [("PUT", "ci/" + job["key"])]
    assert json.loads(cos.read("ci/" + job["key"]))["job_id"] == job["job_id"]
    assert listing(deployed) == before


def kept_record(ledger: Path) -> dict[str, Any]:
    """The one record in a ledger."""
    (path,) = ledger.glob("jobs/dt=2022-07-25/*.json")
    record: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return record


COLD = """
import sys
before = set(sys.modules)
import index, json
event = {"httpMethod": "POST", "path": "/", "body": sys.argv[1], "queryString": {"token": "t"}}
answer = index.main_handler(event, {})
print(json.dumps([answer["statusCode"], sorted(set(sys.modules) - before)]), file=sys.stderr)
"""


class ColdStart(NamedTuple):
    """A callback that is the first of a process. tokens: those that the function accepts."""

    payload: str
    tokens: str
    status: int
    allowed: frozenset[str]


@pytest.mark.parametrize(
    "case",
    [
        ColdStart("Translation.seed.xml", "t", 200, cold_modules.KEPT_XML),
        ColdStart("Translation.seed.json", "t", 200, cold_modules.KEPT_JSON),
        ColdStart("SplitVideoParts.seed.xml", "t", 200, cold_modules.KEPT_XML),
        ColdStart("SplitVideoParts.seed.json", "t", 200, cold_modules.KEPT_JSON),
        ColdStart("Translation.seed.xml", "another", 401, cold_modules.REFUSED),
    ],
)
def test_a_cold_start_imports_what_it_needs(laid_out: Path, cos: FakeCos, case: ColdStart) -> None:
    """Neither the SDK nor what makes dataclasses (inspect), nor any other module unnoticed."""
    env = cos.env | {"CALLBACK_TOKENS": case.tokens}
    done = run(laid_out, COLD, (PAYLOADS / case.payload).read_text(), **env)
    assert done.returncode == 0, done.stderr
    status, imported = json.loads(done.stderr)
    assert status == case.status
    costly = {"dataclasses", "inspect", "qcloud_cos", "requests", "email", "logging"}
    assert case.allowed.isdisjoint(costly)
    assert {cold_modules.named(module) for module in imported} - case.allowed - {""} == set()


@pytest.mark.slow
def test_sdk_loads_without_the_packages_that_are_left_out(deployed: Path) -> None:
    """The client is made, neither it nor its requirements look for Crypto, and that requests misses
    charset-normalizer is not heard of."""
    before = listing(deployed)
    done = run(
        deployed,
        "from handler.ledger.requests_import import importing_requests\n"
        "with importing_requests():\n"
        "    from qcloud_cos import CosConfig, CosS3Client\n"
        "CosS3Client(CosConfig(Region='ap-guangzhou', SecretId='id', SecretKey='key'))\n"
        "assert 'Crypto' not in sys.modules",
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert listing(deployed) == before


def test_runtime_is_the_one_that_serverless_yml_names() -> None:
    """One line decides for which Python it is compiled."""
    assert runtime_version((ROOT / "serverless.yml").read_text("utf-8")) == "3.10"


@pytest.mark.parametrize("text", ["runtime: Nodejs18.15", "runtime: Python3.10\n" * 2])
def test_runtime_that_is_not_one_python_must_raise(text: str) -> None:
    """Nothing is guessed."""
    with pytest.raises(BundleError, match="lines with a Python runtime; one is expected"):
        runtime_version(text)


def test_missing_interpreter_must_raise_with_what_to_install() -> None:
    """No Python of the runtime's version: the message says how to get one."""
    with pytest.raises(BundleError, match=r"a package python3\.99 .* pyenv install 3\.99"):
        find_python("3.99")


def test_interpreter_of_pyenv_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """pyenv's versions are looked at where none is on PATH, and what doesn't run is passed by."""
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    for version, script in (("3.99.2", "exit 1"), ("3.99.1", "echo 3.99")):
        python = tmp_path / "versions" / version / "bin" / "python3.99"
        python.parent.mkdir(parents=True)
        python.write_text(f"#!/bin/sh\n{script}\n")
        python.chmod(0o755)
    assert find_python("3.99") == tmp_path / "versions/3.99.1/bin/python3.99"


@pytest.mark.slow
def test_a_rehearsal_needs_no_python_of_the_runtime(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where there is none, the sources go alone, which run on any; and that is said."""
    monkeypatch.setattr("tools.bundle.runtime_version", lambda text: "3.99")
    monkeypatch.setattr(sys, "argv", ["bundle", "--rehearse", "--output", str(tmp_path)])
    main()
    with zipfile.ZipFile(tmp_path / "function.zip") as archive:
        names = archive.namelist()
    assert "handler/app.py" in names
    assert not [name for name in names if name.endswith(".pyc")]
    assert "not compiled, since Python 3.99 is not on this machine" in capsys.readouterr().out


def test_python_that_does_not_run_is_reported(tmp_path: Path) -> None:
    """A wrong --python ends with a line, not with a traceback."""
    done = run_tool("--python", str(tmp_path / "python"))
    assert done.returncode == 1
    assert done.stderr == f"bundle: --python: {tmp_path / 'python'} is no Python that runs\n"
