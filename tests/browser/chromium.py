"""A Chromium that is installed on the machine, driven by playwright; and a server to look at."""

from __future__ import annotations

import io
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page, Playwright

from ci_callback.devserver.running import Options, Running, running

ARGUMENTS = (
    "--no-sandbox",  # build machines run as root
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

WIDTHS = {"wide": 1920, "desktop": 1280, "phone": 390}

SHOTS = "SHOTS_DIR"
"""Environment variable: a folder that screenshots are written to. Without it there are none."""


def start(playwright: Playwright) -> Browser:
    """Debian's Chromium, or the one that CHROMIUM names: none is downloaded."""
    executable = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if not executable:
        raise RuntimeError("Chromium is needed: apt-get install chromium, or set CHROMIUM")
    return playwright.chromium.launch(executable_path=executable, args=list(ARGUMENTS))


@contextmanager
def page_of(browser: Browser, **settings: Any) -> Iterator[Page]:
    """A page of its own context. It fails afterwards where the page logged an error, such as
    one of its policy."""
    width = WIDTHS[settings.pop("width", "desktop")]
    context: BrowserContext = browser.new_context(
        viewport={"width": width, "height": 844},
        permissions=["clipboard-read", "clipboard-write"],
        **{"locale": "en-US", **settings},
    )
    context.set_default_timeout(15_000)
    page = context.new_page()
    errors: list[str] = []
    page.on(
        "console", lambda message: errors.append(message.text) if message.type == "error" else None
    )
    page.on("pageerror", lambda error: errors.append(str(error)))
    try:
        yield page
        assert errors == []
    finally:
        context.close()


@contextmanager
def served(folder: Path, **env: str) -> Iterator[Running]:
    """`serve` without its timer, over a ledger in a folder."""
    known = {"LEDGER_URL": f"file:{folder}/ledger", "LEASE_WAIT_S": "0"}
    options = Options(port=0, sweep_every_s=0, reconcile_every_s=0, ci_run_s=0.3)
    with running({**known, **env}, options, io.StringIO()) as server:
        yield server


def shot(page: Page, name: str) -> None:
    """Keep a picture of the whole page, where that is asked for."""
    folder = os.environ.get(SHOTS)
    if folder:
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)
