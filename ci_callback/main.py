"""`python -m ci_callback`, and `ci-callback` once installed."""

from __future__ import annotations

import io
import sys

NEEDED = ("typer", "rich", "dotenv")


def run() -> None:
    """Run the command line; say what to install where its libraries are missing."""
    try:
        from dotenv import load_dotenv

        from ci_callback.commands.registry import app
    except ModuleNotFoundError as error:
        if error.name not in NEEDED:
            raise
        sys.exit(
            f"The command line needs {error.name}, which the function itself does not: "
            "pip install 'ci-callback-handler[cli]', or in a clone: "
            "pip install -r requirements/cli.txt"
        )
    # The environment takes precedence; .env only adds to it.
    load_dotenv(".env")
    for stream in (sys.stdout, sys.stderr):
        # A terminal that is not UTF-8 gets escapes in place of what its encoding does not have.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    app()
