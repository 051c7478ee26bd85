"""Where the description, the policy and the bundle are: in the repository, or in the package."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from ci_callback.deploy.errors import EXIT_SETTINGS, DeployError

_REPOSITORY = Path(__file__).resolve().parents[2]
_CARRIED = Path(__file__).resolve().parent / "carried"
"""What `make wheel` puts into the package."""


class Files(NamedTuple):
    """source: the folder whose code the bundle must hold; None without one."""

    description: Path
    policy: Path
    bundle: Path
    source: Path | None


def find(description: Path | None, bundle: Path | None) -> Files:
    """The files of this installation, or those that the command line names."""
    in_repository = (_REPOSITORY / "serverless.yml").is_file()
    if in_repository:
        known = Files(
            _REPOSITORY / "serverless.yml",
            _REPOSITORY / "docs" / "cam-policy.json",
            _REPOSITORY / "dist" / "function.zip",
            _REPOSITORY,
        )
    else:
        known = Files(
            _CARRIED / "serverless.yml",
            _CARRIED / "cam-policy.json",
            _CARRIED / "function.zip",
            None,
        )
    return Files(
        description or known.description,
        known.policy,
        bundle or known.bundle,
        None if bundle else known.source,
    )


def text_of(path: Path) -> str:
    """
    Raises:
        DeployError: it can't be read.
    """
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        fix = "give its place with --file"
        raise DeployError(f"{path} can't be read", fix, EXIT_SETTINGS) from error
