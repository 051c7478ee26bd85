"""The pictures of the documents, from the console as it is: `make pictures`.

Every picture is made in both languages: docs/pictures/NAME.en.png and NAME.zh.png.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from playwright.sync_api import Browser, Page, expect, sync_playwright

from ci_callback.devserver.samples import Asked, make
from tests.browser.chromium import page_of, served, start

FOLDER = Path(__file__).parents[2] / "docs/pictures"
WIDTH = 1100

LOCALES = {"en": "en-US", "zh": "zh-CN"}
RETRY_NOW = {"en": "Retry now", "zh": "立即重试"}
SECOND_END = {"en": "Attempt 2 ended", "zh": "第 2 次尝试结束"}

OTHERS = (
    Asked("Translation", "Success"),
    Asked("Snapshot", "Success"),
    Asked("DocProcess", code="InvalidArgument"),
    Asked("VideoTag", "Success"),
    Asked("SpeechRecognition", "Success"),
)
"""What stands around the job of the story in the list of deliveries."""


def picture(page: Page, name: str, lang: str, height: int) -> None:
    """The upper part of a page, without the path of this run's ledger."""
    page.evaluate(
        "document.querySelectorAll('code').forEach(code => {"
        "if (code.textContent.endsWith('/ledger')) code.textContent = './ledger'})"
    )
    page.evaluate("window.scrollTo(0, 0)")
    page.set_viewport_size({"width": WIDTH, "height": height})
    page.screenshot(path=FOLDER / f"{name}.{lang}.png")


def story(browser: Browser, lang: str) -> None:
    """A failed job, its retry that succeeds, and the list of deliveries after that."""
    with (
        tempfile.TemporaryDirectory() as folder,
        served(Path(folder), RETRY_BASE_S="60") as server,
        page_of(browser, locale=LOCALES[lang]) as page,
    ):
        for asked in OTHERS:
            server.function.send(make(asked).body, "http")
        server.function.send(make(Asked("Transcode", code="InternalError")).body, "http")
        page.set_viewport_size({"width": WIDTH, "height": 700})
        page.goto(f"{server.console_url}deliveries/{len(OTHERS) + 1}")
        timeline = page.locator("#story-1")
        expect(timeline).to_be_visible()
        picture(page, "failed", lang, 560)
        page.get_by_role("button", name=RETRY_NOW[lang]).click()
        expect(timeline).to_contain_text(SECOND_END[lang])
        server.function.tick("sweep", "timer")
        page.goto(f"{server.console_url}deliveries/{len(OTHERS) + 1}")
        picture(page, "recovered", lang, 680)
        page.goto(server.console_url)
        expect(page.locator("#rows tr")).to_have_count(len(OTHERS) + 2)
        picture(page, "deliveries", lang, 700)


def main() -> None:
    """Make all of them."""
    FOLDER.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = start(playwright)
        for lang in LOCALES:
            story(browser, lang)
        browser.close()


if __name__ == "__main__":
    main()
