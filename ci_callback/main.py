"""`python -m ci_callback`, and `ci-callback` once installed."""

from __future__ import annotations

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
            "pip install -r requirements/cli.txt"
        )
    # What the environment says stands; .env only adds to it.
    load_dotenv(".env")
    app()
