"""Each lock is complete: `pip install --no-deps` of it leaves no requirement out, anywhere."""

from __future__ import annotations

import importlib.metadata
import json
from itertools import combinations

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tools import closure
from tools.closure import Pin, Platform, installed, missing, read_lock
from tools.lock import METADATA, PLATFORMS, PYTHONS, ROOT, roots, sources

EVERYWHERE = list(closure.environments(PYTHONS, (*PLATFORMS, closure.LINUX_ARM)))
HERE = next(closure.environments(["3.11"], [closure.LINUX]))

SOURCES = {path.relative_to(ROOT).as_posix(): path for path in sources()}
LOCKS = {
    name: read_lock(path.with_suffix(".txt").read_text("utf-8")) for name, path in SOURCES.items()
}
KNOWN: dict[str, list[str]] = json.loads(METADATA.read_text("utf-8"))
RELEASES = {pin.release: pin for pins in LOCKS.values() for pin in pins}


def test_the_locks_are_those_of_the_project() -> None:
    """So that nothing below is checked for an empty list."""
    names = {"requirements.in", *(f"requirements/{name}.in" for name in ("build", "cli", "dev"))}
    assert names < set(LOCKS)
    assert all(LOCKS.values())


@pytest.mark.parametrize("name", LOCKS)
def test_every_requirement_is_pinned_in_the_same_lock(name: str) -> None:
    """Extras included, on CPython 3.10 to 3.13 on Linux, macOS and Windows."""
    wanted = list(roots(SOURCES[name]))
    lacking = {
        problem
        for environment in EVERYWHERE
        for problem in missing(LOCKS[name], wanted, KNOWN, environment)
    }
    assert lacking == set()


@pytest.mark.parametrize("name", LOCKS)
def test_every_pin_has_a_hash(name: str) -> None:
    """--require-hashes asks for one."""
    assert [pin.release for pin in LOCKS[name] if not pin.hashes] == []


@pytest.mark.parametrize("name", LOCKS)
def test_no_pin_can_be_left_out(name: str) -> None:
    """Each of them is required by another or by the file that the lock is compiled from."""
    wanted = list(roots(SOURCES[name]))
    pins = list(installed(LOCKS[name], HERE).values())
    needless = [
        pin.release
        for pin in pins
        if not missing([other for other in pins if other != pin], wanted, KNOWN, HERE)
    ]
    assert needless == []


def test_no_two_locks_disagree() -> None:
    """The command line runs with the releases that the tests run with."""
    for environment in EVERYWHERE:
        there = {name: installed(pins, environment) for name, pins in LOCKS.items()}
        for first, second in combinations(there, 2):
            for package in there[first].keys() & there[second].keys():
                assert there[first][package].version == there[second][package].version, (
                    first,
                    second,
                )


def test_metadata_is_that_of_the_pinned_releases() -> None:
    """`make lock` writes both."""
    assert set(KNOWN) == set(RELEASES)


def test_metadata_is_what_the_installed_packages_say() -> None:
    """The wheels that are installed here were not asked when it was written."""
    compared = 0
    for pin in installed(LOCKS["requirements/cli.in"], HERE).values():
        distribution = importlib.metadata.distribution(pin.name)
        if f"{pin.name}=={distribution.version}" in KNOWN:
            said = {_plain(line) for line in distribution.requires or ()}
            assert said == {_plain(line) for line in KNOWN[f"{pin.name}=={distribution.version}"]}
            compared += 1
    assert compared > 20


def test_what_is_installed_here_is_what_is_pinned() -> None:
    """Whatever else is published: a newer release is not taken. `make clean` removes an old one."""
    pinned = {pin.release for pin in LOCKS["requirements/dev.in"]}
    names = {pin.name for pin in LOCKS["requirements/dev.in"]}
    there = {
        f"{canonicalize_name(distribution.name)}=={distribution.version}"
        for distribution in importlib.metadata.distributions()
        if canonicalize_name(distribution.name) in names
    }
    assert len(there) > 80
    assert there - pinned == set()


def _plain(line: str) -> str:
    return str(Requirement(line))


# --- the check itself, on locks that are made up ---

HASH = " \\\n    --hash=sha256:0\n    # via something\n"
MADE_UP = {
    "runner==2.0": ["measure[toml]>=1.5", 'colour>=1; sys_platform == "win32"'],
    "measure==1.5": ['tables>=3; python_version < "3.11" and extra == "toml"'],
    "tables==3.1": [],
    "colour==1.0": [],
}


def lacking(*pins: str, python: str = "3.10", system: Platform = closure.LINUX) -> list[str]:
    """What a lock with these pins lacks where `runner` is asked for."""
    lock = read_lock("".join(pin + HASH for pin in pins))
    environment = next(closure.environments([python], [system]))
    return missing(lock, ["runner"], MADE_UP, environment)


def test_pin_without_the_extra_that_is_required_is_a_gap() -> None:
    """pip 23.2 takes `measure==1.5` for no answer to `measure[toml]`, and looks for the newest."""
    assert lacking("runner==2.0", "measure==1.5", "tables==3.1") == [
        "runner==2.0 requires measure[toml], pinned without the extra"
    ]
    assert lacking("runner==2.0", "measure[toml]==1.5", "tables==3.1") == []


def test_requirement_of_an_extra_is_a_requirement() -> None:
    """Where its marker holds, and nowhere else."""
    pins = ("runner==2.0", "measure[toml]==1.5")
    assert lacking(*pins) == ["measure==1.5 requires tables, which is not pinned"]
    assert lacking(*pins, python="3.11") == []


def test_marker_of_a_pin_decides_where_it_counts() -> None:
    """A pin for other Pythons is no pin here."""
    pins = ("runner==2.0", "measure[toml]==1.5", "tables==3.1 ; python_full_version >= '3.11'")
    assert lacking(*pins) == ["measure==1.5 requires tables, which is not pinned"]


def test_each_platform_has_its_own_requirements() -> None:
    """Windows wants one more here."""
    pins = ("runner==2.0", "measure[toml]==1.5")
    assert lacking(*pins, python="3.13", system=closure.MACOS) == []
    assert lacking(*pins, python="3.13", system=closure.WINDOWS) == [
        "runner==2.0 requires colour, which is not pinned"
    ]


def test_pin_outside_of_what_is_required_is_a_gap() -> None:
    """`pip check` would find it too, after the installation."""
    old = {**MADE_UP, "measure==1.4": []}
    lock = read_lock("runner==2.0" + HASH + "measure[toml]==1.4" + HASH)
    assert missing(lock, ["runner"], old, HERE) == [
        "runner==2.0 requires measure>=1.5, and 1.4 is pinned"
    ]


def test_what_the_lock_is_for_must_be_pinned() -> None:
    """The file of requirements counts as well as those of the pins."""
    assert lacking() == ["the lock requires runner, which is not pinned"]


def test_release_without_metadata_must_raise() -> None:
    """It can't be said to require nothing."""
    with pytest.raises(KeyError, match="runner==3"):
        lacking("runner==3")


@pytest.mark.parametrize("pin", ["runner>=2", "runner", "runner==2,!=3"])
def test_requirement_that_is_not_pinned_must_raise(pin: str) -> None:
    """pip would ask the index."""
    with pytest.raises(ValueError, match=r"runner.* is not pinned to one version"):
        read_lock(pin + HASH)


def test_two_pins_for_one_environment_must_raise() -> None:
    """pip refuses them too."""
    lock = read_lock("runner==2.0" + HASH + "runner==3 ; python_version > '3'" + HASH)
    with pytest.raises(ValueError, match="both pinned"):
        installed(lock, HERE)


def test_lock_is_read_with_names_extras_markers_and_hashes() -> None:
    """As uv writes them, blanks between extras included."""
    text = (
        "# first\nMo_to[s3, server]==5.2 ; python_version > '3' \\\n"
        "    --hash=sha256:a \\\n    --hash=sha256:b\n    # via x\n"
    )
    assert read_lock(text) == [
        Pin(
            "mo-to",
            "5.2",
            frozenset({"s3", "server"}),
            'python_version > "3"',
            ("sha256:a", "sha256:b"),
        )
    ]
