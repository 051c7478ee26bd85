"""What a reader of many records does in the console: finds one, follows it, and looks at them all.

Run by `make test-browser`, as the journeys are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from ci_callback.devserver.running import Running
from ci_callback.devserver.samples import Asked, make
from handler.ledger.folder import FolderStore
from tests.browser.chromium import page_of, served, shot, start
from tests.records import keep, record

RECORDS = 240
CODES = ("InternalError", "NoSuchKey", "InvalidArgument")
ALL = re.compile(r"of 2[4-9]\d")
"""The count of all: other tests may have delivered some besides."""

LOST = "The object does not exist."


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser for all."""
    with sync_playwright() as playwright:
        started = start(playwright)
        yield started
        started.close()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A ledger with the records of the last days, each tenth of a failure."""
    folder = tmp_path_factory.mktemp("many")
    store = FolderStore(folder / "ledger")
    today = datetime.now(timezone.utc).date()
    for number in range(RECORDS):
        day = (today - timedelta(number % 12)).isoformat()
        failed = {"outcome": "failed", "state": "Failed", "code": CODES[number % 3]}
        fields = failed | {"message": LOST} if number % 10 == 0 else {}
        made = record(f"j{number:032x}", day, user_data=f"order-{number}", **fields)
        keep(store, made._replace(run_s=1.5 * number + 1))
    with served(folder, RETRY_BASE_S="86400", RETRY_CAP_S="86400") as running:
        yield running


def whole(page: Page, server: Running) -> None:
    """Open the list once all is read."""
    page.goto(server.console_url)
    expect(page.locator("#count")).to_contain_text(ALL)


def test_a_record_is_found_wherever_it_is(browser: Browser, server: Running) -> None:
    """By paging, by its text, and by the address that was passed on."""
    with page_of(browser) as page:
        whole(page, server)
        expect(page.locator("#rows tr")).to_have_count(50)
        page.get_by_role("link", name="Next").click()
        expect(page.locator("#count")).to_contain_text("51–100 of 2")
        page.get_by_label("Search all records").fill("ORDER-239")
        page.keyboard.press("Enter")
        expect(page.locator("#rows tr")).to_have_count(1)
        address = page.url
        page.goto(server.console_url)
        page.goto(address)
        page.locator("#rows a.main-link").click()
        expect(page.get_by_role("heading", level=1)).to_contain_text(f"j{239:032x}")
        page.locator("h1 .copy").click()
        assert page.evaluate("navigator.clipboard.readText()") == f"j{239:032x}"
        expect(page.locator("h1 .copy")).to_have_text("Copied")
        with page.expect_download() as saved:
            page.get_by_role("link", name="Download the record").click()
        assert b'"job-record/1"' in Path(saved.value.path()).read_bytes()


def test_days_are_chosen_in_the_readers_zone(browser: Browser, server: Running) -> None:
    """And each time says its zone."""
    with page_of(browser) as page:
        whole(page, server)
        page.get_by_role("link", name="CI UTC+08:00").click()
        expect(page.get_by_role("columnheader", name="Received UTC+08:00")).to_be_visible()
        page.get_by_text("More filters").click()
        page.get_by_label("From").fill("2026-01-01")
        page.get_by_label("To", exact=True).fill("2026-01-02")
        page.get_by_role("button", name="Filter").click()
        expect(page.get_by_text("Nothing matches the filter.")).to_be_visible()
        page.locator("#foot").get_by_role("link", name="Clear").click()
        expect(page.locator("#count")).to_contain_text(ALL)
        page.get_by_role("link", name="local").click()


def test_a_chart_leads_from_a_sum_to_its_records(browser: Browser, server: Running) -> None:
    """Pointing shows numbers, the legend hides, dragging zooms in, a click opens the list."""
    with page_of(browser) as page:
        page.goto(f"{server.console_url}charts?days=30")
        columns = page.locator("[data-from]")
        columns.last.hover()
        expect(page.locator("#tip")).to_contain_text("succeeded")
        expect(page.locator("#tip")).to_contain_text(columns.last.get_attribute("data-from") or "?")
        shot(page, "reader-chart-hint")
        page.locator(".ch-key a").first.click()
        expect(page.locator(".ch-key-off")).to_have_count(1)
        first, last = columns.nth(24).bounding_box(), columns.nth(28).bounding_box()
        assert first
        assert last
        page.mouse.move(first["x"] + 4, first["y"] + 60)
        page.mouse.down()
        page.mouse.move(last["x"] + 2, last["y"] + 60, steps=8)
        page.mouse.up()
        expect(page.locator("[data-from]")).to_have_count(5)
        expect(page.locator(".ch-key-off")).to_have_count(1)
        page.locator("#ch-codes-title").scroll_into_view_if_needed()
        page.get_by_role("figure", name="Failures by code").locator("svg a").first.click()
        expect(page.get_by_label("Outcome")).to_have_value("failed")
        expect(page.get_by_label("Code")).not_to_have_value("")
        expect(page.locator("#rows tr").first).to_contain_text(LOST)


def test_updates_wait_while_somebody_reads(browser: Browser, server: Running) -> None:
    """What comes meanwhile is counted, and shown when asked for."""
    with page_of(browser) as page:
        page.goto(server.console_url)
        expect(page.locator("#live-text")).to_have_text("Live")
        page.get_by_role("button", name="Pause").click()
        sent = [make(Asked("Transcode", "Success")) for _ in range(3)]
        for one in sent:
            server.function.send(one.body, "http")
        expect(page.locator("#live-show")).to_have_text("3 new: show")
        expect(page.locator("#rows")).not_to_contain_text(sent[0].job_id)
        shot(page, "reader-paused")
        page.locator("#live-show").click()
        expect(page.locator("#rows")).to_contain_text(sent[0].job_id)
        page.get_by_role("button", name="Resume").click()
        server.function.send(make(Asked("Concat", "Success")).body, "http")
        expect(page.locator("#rows tr").first).to_contain_text("Concat")


def test_failures_are_retried_together_and_their_attempts_compared(
    browser: Browser, server: Running
) -> None:
    """From the filter over the confirmation to what differs."""
    mark = "a-bulk"
    for _ in range(2):
        server.function.send(make(Asked("Transcode", user_data=mark)).body, "http")
    with page_of(browser) as page:
        page.goto(f"{server.console_url}?text={mark}&outcome=failed")
        page.get_by_role("link", name="Retry failures").click()
        expect(page.get_by_text("Retries that wait for them: 2.")).to_be_visible()
        shot(page, "reader-bulk-retry")
        page.get_by_role("button", name="Retry now: 2").click()
        expect(page.get_by_role("status").first).to_contain_text(
            "Retries made due: 2; submitted again: 2"
        )
        expect(page.locator("#rows tr").first).to_contain_text("recovered")
        page.locator("#rows a.main-link").first.click()
        page.get_by_role("link", name="Compare attempts 1 and 2").click()
        expect(page.get_by_role("row").filter(has_text="outcome")).to_contain_text("succeeded")
        shot(page, "reader-compared")


def test_a_callback_is_edited_and_sent(browser: Browser, server: Running) -> None:
    """It is one of its own."""
    made = make(Asked("Transcode", "Success", form="json"))
    server.function.send(made.body, "http")
    with page_of(browser) as page:
        page.goto(f"{server.console_url}?text={made.job_id}")
        page.locator("#rows a.main-link").first.click()
        page.get_by_role("link", name="Edit and send").click()
        field = page.get_by_label("Body")
        other = "f" * len(made.job_id)
        field.fill(field.input_value().replace(made.job_id, other))
        page.get_by_role("button", name="Send").click()
        expect(page.get_by_role("status").first).to_have_text("Sent: 200.")
        expect(page.locator("h1 .sub")).to_have_text(other)
