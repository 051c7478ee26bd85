"""Build what is deployed: dist/function/ and, of the same files, dist/function.zip; beside them
dist/function.cdx.json, the bill of materials.

The function's own code, its requirements by their hashes, and the bytecode of both. None
of it is machine code, so any machine can build it. Two builds give the same bytes.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import handler
from tools import environment, trusted_certificates
from tools.bill_of_materials import bill_of_materials
from tools.environment import Command, StepError, run, without

ROOT = Path(__file__).resolve().parent.parent

OWN_CODE = ("index.py", "handler")

LEFT_OUT = frozenset({"pycryptodome", "charset-normalizer"})
"""pycryptodome is required by cos-python-sdk-v5 and 15 MB large; only its client-side encryption
imports it. charset-normalizer is 8 ms of a cold start; requests guesses by it in which encoding a
text is, which nothing here asks, and warns once where it is missing
(handler/ledger/requests_import.py)."""

NOT_OF_USE = (
    "bin",
    "*/tests",
    "crcmod/test.py",
    "crcmod/_crcfunext.*",
    "urllib3/http2/__init__.py",
    "urllib3/contrib/socks.py",
)
"""What an installation brings besides, relative to the folder. The first file of urllib3's HTTP/2,
which has to be switched on and is not, imports importlib.metadata: 4 ms of each cold start."""

CERTIFICATES = "handler/ca"
"""certifi's, as handler/connections.py looks for them."""

LICENCES = "licences"
_LICENCE = re.compile(r"(LICEN[CS]E|NOTICE|COPYING|AUTHORS)", re.IGNORECASE)

_RUNTIME = re.compile(r"^\s*runtime:\s*Python(\d+\.\d+)\s*(?:#.*)?$", re.MULTILINE)

ZIP_TIME = (1980, 1, 1, 0, 0, 0)
"""The first that a zip can tell."""
ZIP_MODE = 0o100644

RUNTIMES = ("3.10", "3.12", "3.13")
"""The versions of Python that SCF runs and that the function is built and tested for."""

BILL = "function.cdx.json"

TOP_ENTRIES = 12


class BundleError(StepError):
    """The bundle can't be built. Says what to do about it."""


def runtime_version(serverless_yml: str) -> str:
    """The version in `runtime: Python3.10`, from the text of a serverless.yml.

    Raises:
        BundleError: there is none, or more than one.
    """
    versions = _RUNTIME.findall(serverless_yml)
    if len(versions) != 1:
        raise BundleError(
            f"serverless.yml: {len(versions)} lines with a Python runtime; one is expected, "
            "such as `runtime: Python3.10`"
        )
    return str(versions[0])


def find_python(version: str) -> Path:
    """An interpreter of this version: the running one, one on PATH, or one of pyenv's.

    The compiled files fit one minor version of Python alone, the runtime's.

    Raises:
        BundleError: none was found.
    """
    candidates = list(_candidates(version))
    for candidate in candidates:
        if _version_of(candidate) == version:
            return candidate
    looked_at = ", ".join(str(candidate) for candidate in candidates)
    raise BundleError(
        f"Python {version}, which serverless.yml names as the runtime, is not among: {looked_at}. "
        f"Install it (a package python{version} of the system, or: pyenv install {version}), "
        "or name one with --python PATH"
    )


def _candidates(version: str) -> Iterator[Path]:
    yield Path(sys.executable)
    on_path = shutil.which(f"python{version}")
    if on_path:
        yield Path(on_path)
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    yield from sorted((pyenv / "versions").glob(f"{version}.*/bin/python{version}"), reverse=True)


def _version_of(python: Path) -> str | None:
    """Major and minor version; None of what doesn't run, as a shim of pyenv's for no version."""
    code = "import sys; print('%d.%d' % sys.version_info[:2])"
    ask: Command = [python, "-I", "-c", code]
    try:
        done = subprocess.run(ask, check=False, capture_output=True, text=True)
    except OSError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def build(python: Path, output: Path, is_compiled: bool = True) -> tuple[Path, Path]:
    """Build all below `output` anew; the folder and the zip. The bill of materials is beside them.
    is_compiled: with the bytecode of this interpreter.

    Raises:
        StepError: a step failed.
    """
    folder, archive = output / "function", output / "function.zip"
    requirements = (ROOT / "requirements.txt").read_text("utf-8")
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    install_requirements(python, requirements, folder)
    keep_licences_alone(folder)
    remove(path for pattern in NOT_OF_USE for path in folder.glob(pattern))
    copy_own_code(folder)
    trusted_certificates.split(folder / "certifi" / "cacert.pem", folder / CERTIFICATES)
    if is_compiled:
        compile_all(python, folder)
    try_import(python, folder)
    write_zip(folder, archive)
    bill = bill_of_materials(requirements, LEFT_OUT, handler.__version__, archive.read_bytes())
    (output / BILL).write_text(bill, "utf-8")
    return folder, archive


def install_requirements(python: Path, requirements: str, folder: Path) -> None:
    """Install all but LEFT_OUT, by their hashes.

    Only wheels without machine code are taken ("any"): they are right for every machine,
    SCF's CentOS 7 too. A requirement that has no such wheel makes pip fail. crcmod is built, and
    its compiled half dropped for its Python half.
    """
    with tempfile.TemporaryDirectory() as scratch:
        inside = environment.with_build_tools(python, Path(scratch, "environment"))
        wanted = without(LEFT_OUT, requirements)
        environment.install(inside, wanted, "--platform=any", "--no-compile", "--target", folder)


def keep_licences_alone(folder: Path) -> None:
    """Of each *.dist-info keep the licence texts, under licences/NAME-VERSION/."""
    for info in sorted(folder.glob("*.dist-info")):
        texts = [path for path in info.rglob("*") if path.is_file() and _LICENCE.match(path.name)]
        if not texts:
            raise BundleError(f"{info.name} holds no licence text, and one must go with the code")
        target = folder / LICENCES / info.stem
        target.mkdir(parents=True)
        for text in texts:
            shutil.copyfile(text, target / text.name)
        shutil.rmtree(info)


def remove(paths: Iterable[Path]) -> None:
    """Remove files and folders."""
    for path in list(paths):
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()


def copy_own_code(folder: Path) -> None:
    """Copy the function itself: index.py and the whole of handler/."""
    for name in OWN_CODE:
        source = ROOT / name
        if source.is_dir():
            ignore = shutil.ignore_patterns("__pycache__")
            shutil.copytree(source, folder / name, ignore=ignore)
        else:
            shutil.copyfile(source, folder / name)


def compile_all(python: Path, folder: Path) -> None:
    """Write the bytecode beside the sources.

    SCF's code folder is read-only and PYTHONDONTWRITEBYTECODE is set there: without these
    each cold start compiles everything, and takes twice as long. unchecked-hash: loaded
    without a look at the source's time, which a zip does not keep to the second.
    Paths inside are relative (-s), and sets are written in one order (PYTHONHASHSEED).
    """
    how = ["-q", "-f", "--invalidation-mode", "unchecked-hash"]
    seed = os.environ | {"PYTHONHASHSEED": "0"}
    run([python, "-S", "-m", "compileall", *how, "-s", folder, folder], seed)


def try_import(python: Path, folder: Path) -> None:
    """Load the entry file and the SDK from the folder alone: nothing that they need is missing."""
    code = f"import sys; sys.path.insert(0, {str(folder)!r}); import index, qcloud_cos"
    run([python, "-I", "-S", "-B", "-c", code])


def write_zip(folder: Path, archive: Path) -> None:
    """Zip the folder's files, index.py at the root: sorted, with one time and one mode."""
    with zipfile.ZipFile(archive, "w") as target:
        for path in files(folder):
            entry = zipfile.ZipInfo(path.relative_to(folder).as_posix(), ZIP_TIME)
            entry.external_attr = ZIP_MODE << 16
            entry.create_system = 3  # Unix, whichever machine builds: it is what modes are for
            entry.compress_type = zipfile.ZIP_DEFLATED
            target.writestr(entry, path.read_bytes(), compresslevel=9)


def files(folder: Path) -> list[Path]:
    """Every file below a folder, sorted by its path with forward slashes."""
    paths = (path for path in folder.rglob("*") if path.is_file())
    return sorted(paths, key=lambda path: path.relative_to(folder).as_posix())


def report(folder: Path, archive: Path) -> str:
    """Sizes of the bundle, and of the largest things at its top."""
    sizes: dict[str, int] = {}
    for path in files(folder):
        top = path.relative_to(folder).parts[0]
        sizes[top] = sizes.get(top, 0) + path.stat().st_size
    largest = sorted(sizes.items(), key=lambda entry: (-entry[1], entry[0]))
    lines = [
        f"{archive}  {_kb(archive.stat().st_size)}",
        f"{folder}  {_kb(sum(sizes.values()))} in {len(files(folder))} files, of which:",
        *(f"{_kb(size):>12}  {name}" for name, size in largest[:TOP_ENTRIES]),
    ]
    rest = largest[TOP_ENTRIES:]
    if rest:
        lines.append(f"{_kb(sum(size for _, size in rest)):>12}  {len(rest)} smaller ones")
    return "\n".join(lines)


def _kb(size: int) -> str:
    return f"{size / 1000:,.1f} kB"


def build_each(output: Path) -> None:
    """Build for each of RUNTIMES, below output/pythonX.Y/.

    Raises:
        StepError: a step failed, or one of the interpreters is not there.
    """
    pythons = {version: find_python(version) for version in RUNTIMES}
    for version, python in pythons.items():
        print(report(*build(python, output / f"python{version}")))


def build_one(chosen: argparse.Namespace) -> str:
    """Build for the runtime that serverless.yml names; what to print of it.

    Raises:
        StepError: a step failed, or an interpreter is not there.
    """
    version = runtime_version((ROOT / "serverless.yml").read_text("utf-8"))
    note = ""
    try:
        python = chosen.python or find_python(version)
    except BundleError:
        if not chosen.rehearse:
            raise
        python = Path(sys.executable)
        note = (
            f"\nIt is not compiled, since Python {version} is not on this machine. That is enough "
            "for a rehearsal; in SCF each cold start would take twice as long."
        )
    its_own = _version_of(python)
    if its_own is None:
        raise BundleError(f"--python: {python} is no Python that runs")
    built = build(python, chosen.output.resolve(), is_compiled=not note)
    if not note and its_own != version:
        note = f"\nCompiled for Python {its_own}, and so of no use to the runtime, Python {version}"
    return report(*built) + note


def main() -> None:
    """Build the bundle for the runtime that serverless.yml names, and tell its sizes."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--python", type=Path, help="the interpreter to install and compile with")
    parser.add_argument("--output", type=Path, default=ROOT / "dist", help="default: dist/")
    parser.add_argument(
        "--each", action="store_true", help="for each runtime, below dist/pythonX.Y/"
    )
    parser.add_argument(
        "--rehearse",
        action="store_true",
        help="compile nothing where this machine has no Python of the runtime's version",
    )
    chosen = parser.parse_args()
    try:
        if chosen.each:
            build_each(chosen.output.resolve())
        else:
            print(build_one(chosen))
    except StepError as error:
        sys.exit(f"bundle: {error}")


if __name__ == "__main__":
    main()
