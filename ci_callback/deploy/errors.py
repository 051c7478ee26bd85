"""The errors that end a deployment: one line for a person, with the remedy."""

from __future__ import annotations

from ci_callback.common import EXIT_NOT_2XX, EXIT_SETTINGS, EXIT_STORE
from handler.errors import HandlerError

EXIT_FAILED = EXIT_NOT_2XX
EXIT_UNREACHABLE = EXIT_STORE

__all__ = ["EXIT_FAILED", "EXIT_SETTINGS", "EXIT_UNREACHABLE", "DeployError"]


class DeployError(HandlerError):
    """
    Attributes:
        what: the fault, without secrets. fix: the remedy.
        exit: the exit status of the command.
    """

    def __init__(self, what: str, fix: str, exit: int = EXIT_FAILED) -> None:  # noqa: A002  # the shell's word
        self.what = what
        self.fix = fix
        self.exit = exit
        super().__init__(f"{what}; {fix}")
