"""What a lock lacks: `pip install --no-deps` installs what a lock pins and nothing else, so each
requirement of each pin must be pinned in the same file. Pure; packaging reads the markers.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TypeAlias

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

Environment = Mapping[str, str]
"""Values of environment markers, by their names: {"python_version": "3.10", …}."""

Metadata = Mapping[str, Sequence[str]]
"""The Requires-Dist lines of a release, by `name==version`."""

PATCHES = ("0", "30")
"""A marker may name a patch release (`python_full_version < "3.10.2"`): an early and a late one."""

Platform: TypeAlias = tuple[str, str, str, str]
"""sys_platform, platform_system, os_name, platform_machine."""

LINUX = ("linux", "Linux", "posix", "x86_64")
LINUX_ARM = ("linux", "Linux", "posix", "aarch64")
MACOS = ("darwin", "Darwin", "posix", "arm64")
WINDOWS = ("win32", "Windows", "nt", "AMD64")


@dataclass(frozen=True)
class Pin:
    """One pin of a lock. name is normalised; marker is "" where the pin holds everywhere."""

    name: str
    version: str
    extras: frozenset[str]
    marker: str
    hashes: tuple[str, ...]

    @property
    def release(self) -> str:
        """The key of its metadata."""
        return f"{self.name}=={self.version}"

    def holds_in(self, environment: Environment) -> bool:
        """Whether pip installs it in this environment."""
        return not self.marker or _holds(f"{self.name}; {self.marker}", environment)


def environments(pythons: Iterable[str], platforms: Iterable[Platform]) -> Iterator[Environment]:
    """The marker environments of CPython versions ("3.10") on platforms."""
    for python in pythons:
        for system, platform_system, os_name, machine in platforms:
            for patch in PATCHES:
                yield {
                    "python_version": python,
                    "python_full_version": f"{python}.{patch}",
                    "implementation_name": "cpython",
                    "implementation_version": f"{python}.{patch}",
                    "platform_python_implementation": "CPython",
                    "platform_release": "",
                    "platform_version": "",
                    "sys_platform": system,
                    "platform_system": platform_system,
                    "os_name": os_name,
                    "platform_machine": machine,
                }


def read_lock(text: str) -> list[Pin]:
    """The pins of a lock as `uv pip compile --generate-hashes` writes it.

    Raises:
        ValueError: a requirement is not pinned by `==` to one version.
    """
    pins = []
    for line in re.sub(r"\\\n", " ", text).splitlines():
        words = line.partition(" #")[0].strip()
        if not words or words.startswith("#"):
            continue
        head, *hashes = words.split("--hash=")
        wanted = Requirement(head.strip())
        specifiers = list(wanted.specifier)
        if len(specifiers) != 1 or specifiers[0].operator != "==":
            raise ValueError(f"{wanted} is not pinned to one version")
        pins.append(
            Pin(
                canonicalize_name(wanted.name),
                specifiers[0].version,
                frozenset(wanted.extras),
                str(wanted.marker or ""),
                tuple(digest.strip() for digest in hashes),
            )
        )
    return pins


def installed(pins: Iterable[Pin], environment: Environment) -> dict[str, Pin]:
    """The pins that pip installs in an environment, by their names.

    Raises:
        ValueError: two of them are of one package.
    """
    by_name: dict[str, Pin] = {}
    for pin in pins:
        if pin.holds_in(environment):
            if pin.name in by_name:
                raise ValueError(f"{by_name[pin.name].release} and {pin.release} are both pinned")
            by_name[pin.name] = pin
    return by_name


def missing(
    pins: Sequence[Pin], roots: Iterable[str], metadata: Metadata, environment: Environment
) -> list[str]:
    """What an environment lacks after `pip install --no-deps`, one sentence for each.

    Args:
        pins: the lock.
        roots: the requirements that the lock was compiled from.
        metadata: of each pinned release.
        environment: marker values.

    Raises:
        KeyError: a pinned release has no metadata.
    """
    there = installed(pins, environment)
    wanted = [("the lock", root) for root in roots if _holds(root, environment)]
    for pin in there.values():
        for line in metadata[pin.release]:
            if any(_holds(line, environment, extra) for extra in ("", *pin.extras)):
                wanted.append((pin.release, line))
    return sorted({problem for by, line in wanted if (problem := _problem(there, by, line))})


def _problem(there: Mapping[str, Pin], by: str, line: str) -> str:
    wanted = _parsed(line)
    pin = there.get(canonicalize_name(wanted.name))
    if pin is None:
        return f"{by} requires {wanted.name}, which is not pinned"
    if not wanted.specifier.contains(Version(pin.version), prereleases=True):
        return f"{by} requires {wanted.name}{wanted.specifier}, and {pin.version} is pinned"
    lacking = {canonicalize_name(extra) for extra in wanted.extras} - {
        canonicalize_name(extra) for extra in pin.extras
    }
    if lacking:
        return f"{by} requires {wanted.name}[{','.join(sorted(lacking))}], pinned without the extra"
    return ""


def _holds(line: str, environment: Environment, extra: str = "") -> bool:
    marker = _parsed(line).marker
    return marker is None or marker.evaluate({**environment, "extra": extra})


@cache
def _parsed(line: str) -> Requirement:
    return Requirement(line)
