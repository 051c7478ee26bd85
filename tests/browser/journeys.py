"""What people do in the console, in a real browser: with mouse, keyboard and phone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from ci_callback.devserver.running import Running
from ci_callback.devserver.samples import Asked, make
from tests.browser.chromium import page_of, served, shot, start
from tests.conftest import PAYLOADS

PAGES = (
    *("", "?since=2026-01-01", "send", "sweeps", "outbox", "dead", "events", "charts"),
    *("charts?numbers=1", "deliveries/1", "deliveries/1/edit", "sweeps/6", "retry?outcome=failed"),
)
LOOKS = [
    (width, scheme, locale)
    for width in ("wide", "desktop", "phone")
    for scheme in ("light", "dark")
    for locale in ("en-US", "zh-CN")
]

TOUCH_PX = 44


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser for all journeys; each has a context of its own."""
    with sync_playwright() as playwright:
        started = start(playwright)
        yield started
        started.close()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Running]:
    """An empty ledger, and a stand-in for CI."""
    with served(tmp_path) as running:
        yield running


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A ledger in which something of each kind happened."""
    with served(tmp_path_factory.mktemp("busy")) as running:
        machine = running.function
        for asked in (
            Asked("Translation", message="<b>a</b> & some words that are rather long " * 3),
            Asked("Transcode", "Success"),
            Asked("DocProcess", code="InvalidArgument"),
        ):
            machine.send(make(asked).body, "sample")
        machine.send(b"this is no callback", "http")
        machine.send((PAYLOADS / "Translation.seed.json").read_bytes(), "http")
        machine.tick("sweep", "button")
        machine.send(make(Asked("VideoMontage", "Partial")).body, "sample")
        yield running


def test_a_failure_is_seen_to_recover(browser: Browser, server: Running) -> None:
    """A sample sent by the button appears, fails, is retried by a sweep and recovers: on the
    page that sent it, and on one that was open all the while and is never reloaded."""
    with page_of(browser) as page, page_of(browser) as watching:
        watching.goto(server.console_url)
        expect(watching.get_by_text("Live", exact=True)).to_be_visible()
        expect(watching.get_by_text("No deliveries yet.")).to_be_visible()

        page.goto(server.console_url)
        page.get_by_role("link", name="Send a sample").click()
        page.get_by_label("What").select_option("SplitVideoParts")
        page.get_by_label("State").select_option("Failed")
        page.get_by_label("Code").fill("ServiceUnavailable")
        page.get_by_label("Its retry").select_option("succeeds")
        page.get_by_role("button", name="Send").click()

        expect(page.get_by_role("status").first).to_have_text("The sample was sent: 200.")
        job_id = page.locator("h1 .sub").inner_text()
        story = page.locator("#story-1")
        expect(story).to_contain_text("It ended: Failed")
        expect(story).to_contain_text("A retry is due")
        shot(page, "journey-1-failed")

        failed = watching.get_by_role("row").filter(has_text=job_id).first
        expect(failed).to_contain_text("failed")
        expect(failed).to_contain_text("retry due")
        expect(watching.locator("#announce")).to_have_text("1 new delivery")

        page.get_by_role("button", name="Retry now").click()
        expect(page.get_by_role("status").first).to_contain_text("1 submitted again")
        # From here on nothing is clicked: the callback of the retry comes by itself.
        expect(story).to_contain_text("Attempt 2 ended: Success")
        expect(story).to_contain_text("The next sweep sends an alert: Recovered by a retry")
        expect(watching.locator("#rows tr")).to_have_count(2)
        expect(watching.locator("#rows tr").nth(1)).to_contain_text("recovered")
        shot(watching, "journey-2-recovered")

        watching.get_by_role("button", name="Run a sweep").click()
        expect(watching.get_by_role("status").first).to_contain_text("alerts sent: 1")
        expect(story).to_contain_text("no channel received it: Recovered by a retry")
        shot(page, "journey-3-alert-sent")


def test_a_sweep_waits_unless_it_is_hurried(browser: Browser, tmp_path: Path) -> None:
    """ "Run a sweep" goes by the clock; "Sweep without waiting" makes the retries due first."""
    long = {"RETRY_BASE_S": "86400", "RETRY_CAP_S": "86400"}
    with served(tmp_path, **long) as server, page_of(browser) as page:
        assert server.ci
        server.function.send(make(Asked("Transcode")).body, "sample")
        page.goto(f"{server.console_url}outbox")
        expect(page.locator("#waiting tbody tr")).to_have_count(1)
        page.get_by_role("button", name="Run a sweep").click()
        expect(page.get_by_role("status").first).to_contain_text("nothing to do")
        assert server.ci.submissions == 0
        page.get_by_role("button", name="Sweep without waiting").click()
        expect(page.get_by_role("status").first).to_contain_text("1 submitted again")
        assert server.ci.submissions == 1


def test_a_redelivery_is_known_as_such(browser: Browser, server: Running) -> None:
    """Twice is once."""
    server.function.send(make(Asked("Transcode", "Success")).body, "http")
    with page_of(browser) as page:
        page.goto(f"{server.console_url}deliveries/1")
        page.get_by_role("button", name="Redeliver").click()
        expect(page.get_by_role("heading", level=1)).to_contain_text("Delivery 2")
        expect(page.locator("#story-1")).to_contain_text("Delivered again: a duplicate")


def test_a_dead_letter_is_replayed(browser: Browser, server: Running) -> None:
    """One that is still not understood stays, and it is said why."""
    server.function.send(b"this is no callback", "http")
    with page_of(browser) as page:
        page.goto(f"{server.console_url}dead")
        page.locator(".main-link").click()
        page.get_by_role("button", name="Replay").click()
        expect(page.get_by_role("status").first).to_contain_text("Not replayed")


def test_the_list_is_filtered_and_stays_so(browser: Browser, server: Running) -> None:
    """What comes in later is filtered too."""
    with page_of(browser) as page:
        server.function.send(make(Asked("Transcode", "Success")).body, "http")
        server.function.send(make(Asked("Translation")).body, "http")
        page.goto(server.console_url)
        expect(page.locator("#rows tr")).to_have_count(2)
        page.get_by_label("Outcome").select_option("failed")
        page.get_by_role("button", name="Filter").click()
        expect(page.locator("#rows tr")).to_have_count(1)
        server.function.send(make(Asked("Transcode", "Success")).body, "http")
        server.function.send(make(Asked("DocProcess")).body, "http")
        expect(page.locator("#rows tr")).to_have_count(2)
        expect(page.locator("#rows")).not_to_contain_text("Transcode")
        page.get_by_role("link", name="Clear").click()
        expect(page.locator("#rows tr")).to_have_count(4)


def test_it_works_by_the_keyboard_only(browser: Browser, server: Running) -> None:
    """The skip link first, then everything in its order, and the focus is always seen."""
    with page_of(browser) as page:
        page.goto(server.console_url)
        page.keyboard.press("Tab")
        expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
        page.keyboard.press("Enter")
        expect(page.locator("main")).to_be_focused()
        page.keyboard.press("Tab")
        expect(page.get_by_role("link", name="Send a sample")).to_be_focused()
        width = page.evaluate("parseFloat(getComputedStyle(document.activeElement).outlineWidth)")
        assert width >= 2
        page.keyboard.press("Enter")
        page.get_by_label("What").focus()
        page.keyboard.type("Transcode")
        page.get_by_label("UserData").focus()
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", level=1)).to_contain_text("Delivery 1")


def test_the_focus_survives_an_update(browser: Browser, server: Running) -> None:
    """Whoever reads a row stays there when others come in above it."""
    server.function.send(make(Asked("Transcode", "Success")).body, "http")
    with page_of(browser) as page:
        page.goto(server.console_url)
        link = page.locator("#d1 a.main-link")
        link.focus()
        server.function.send(make(Asked("Translation")).body, "http")
        expect(page.locator("#rows tr")).to_have_count(2)
        expect(link).to_be_focused()


def test_it_works_without_javascript(browser: Browser, server: Running) -> None:
    """By reloading."""
    with page_of(browser, java_script_enabled=False) as page:
        page.goto(f"{server.console_url}send")
        page.get_by_role("button", name="Send").click()
        expect(page.get_by_role("heading", level=1)).to_contain_text("Delivery 1")
        page.get_by_role("link", name="Deliveries").first.click()
        expect(page.locator("#rows tr")).to_have_count(1)


def test_a_server_that_went_away_is_shown(browser: Browser, tmp_path: Path) -> None:
    """The page does not pretend to be live."""
    context = browser.new_context(locale="en-US")
    page = context.new_page()
    with served(tmp_path) as server:
        page.goto(server.console_url)
        expect(page.locator("#live-text")).to_have_text("Live")
    expect(page.locator("#live-text")).to_have_text("Not connected; trying again")
    context.close()


def test_the_language_is_switched(browser: Browser, server: Running) -> None:
    """And stays so."""
    with page_of(browser) as page:
        page.goto(server.console_url)
        page.get_by_role("link", name="中文").click()
        expect(page.locator("html")).to_have_attribute("lang", "zh-CN")
        page.get_by_role("link", name="待办").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("待办")


def test_another_site_presses_no_button(browser: Browser, server: Running) -> None:
    """Its page posts a form to the console, with the token that it could have seen over a
    shoulder, and reads the console by script and in a frame."""
    with page_of(browser) as page:
        page.goto(f"{server.console_url}send")
        token = page.locator("input[name=csrf]").first.input_value()
    before = server.function.history.version
    evil = f"""<form method=post action="{server.console_url}sweeps">
        <input name=csrf value="{token}"><input name=ticket value=all><button>win</button></form>
        <iframe src="{server.console_url}"></iframe>
        <script>fetch("{server.console_url}send").then(
            () => document.title = "read", () => document.title = "kept out")</script>"""
    context = browser.new_context()
    try:
        page = context.new_page()
        page.route(
            "http://evil.test/", lambda route: route.fulfill(body=evil, content_type="text/html")
        )
        page.goto("http://evil.test/")
        expect(page).to_have_title("kept out")
        assert "csrf" not in page.frames[1].content()
        with page.expect_response(lambda response: response.url.endswith("/sweeps")) as answered:
            page.get_by_role("button").click()
        assert answered.value.status == 403
    finally:
        context.close()
    assert server.function.history.version == before


def test_an_address_with_odd_parameters_is_a_page_like_any_other(
    browser: Browser, server: Running
) -> None:
    """Without a script run, an error of the policy, or another page led to."""
    odd = "?endpoint=pages.send&_method=DELETE&_external=1&_scheme=javascript&text=%3Cscript%3E"
    with page_of(browser) as page:
        page.goto(server.console_url + odd)
        page.get_by_role("link", name="中文").click()
        assert page.url.startswith(server.console_url)
        expect(page.locator("html")).to_have_attribute("lang", "zh-CN")


def test_what_comes_from_outside_runs_nowhere(browser: Browser, server: Running) -> None:
    """It is text, and the policy would not let it run either."""
    odd = "<img src=x onerror=\"document.title='taken'\"><script>document.title='taken'</script>"
    server.function.send(make(Asked("Translation", message=odd)).body, "http")
    server.function.send(odd.encode(), "http")
    with page_of(browser) as page:
        for path in ("", "deliveries/1", "deliveries/2", "outbox", "dead"):
            page.goto(server.console_url + path)
            assert "taken" not in page.title()
            assert page.locator("main img, main script").count() == 0
        page.goto(f"{server.console_url}deliveries/1")
        expect(page.locator("main").get_by_text(odd).first).to_be_visible()


@pytest.mark.parametrize(("width", "scheme", "locale"), LOOKS)
def test_pages_are_fit_to_be_read(
    browser: Browser, busy: Running, width: str, scheme: str, locale: str
) -> None:
    """On each width, in both schemes and languages: nothing sticks out, text has a contrast of
    4.5 at least, and on a phone what is touched is large enough."""
    with page_of(browser, width=width, color_scheme=scheme, locale=locale) as page:
        for path in PAGES:
            page.goto(busy.console_url + path)
            name = f"{re.sub(r'[^a-z0-9]+', '-', path) or 'list'}-{width}-{scheme}-{locale[:2]}"
            shot(page, name)
            sticks_out = page.evaluate(
                "document.documentElement.scrollWidth - document.documentElement.clientWidth"
            )
            assert sticks_out <= 0, name
            assert page.evaluate(FAINT) == [], name
            if width == "phone":
                assert page.evaluate(SMALL, TOUCH_PX) == [], name
            else:
                assert page.evaluate(BROKEN) == [], name


FAINT = """() => {
  const parse = (text) => {
    const parts = text.match(/[\\d.]+/g).map(Number);
    return [parts[0], parts[1], parts[2], parts.length > 3 ? parts[3] : 1];
  };
  const light = ([r, g, b]) => {
    const [x, y, z] = [r, g, b].map((one) => {
      const part = one / 255;
      return part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const behind = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const colour = parse(getComputedStyle(at).backgroundColor);
      if (colour[3] === 1) return colour;
    }
    return [255, 255, 255, 1];
  };
  const faint = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || !element.checkVisibility()) continue;
    if (element.closest("svg, script, noscript, option, .unseen")) continue;
    const [one, other] = [light(parse(getComputedStyle(element).color)), light(behind(element))];
    const ratio = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
    const text = walker.currentNode.data.trim().slice(0, 30);
    if (ratio < 4.5) faint.push(`${text} ${ratio.toFixed(2)}`);
  }
  return faint;
}"""
"""Texts whose contrast with what is behind them is below 4.5 (WCAG 2.2, 1.4.3)."""

BROKEN = """() => {
  const broken = [];
  const kinds = ".main-link, .chip, .follow, th, .rows button, .c-tag";
  for (const one of document.querySelectorAll(kinds)) {
    if (!one.checkVisibility() || one.querySelector(".unseen")) continue;
    if (one.closest(".ch-table, .unseen, .compare")) continue;
    const range = document.createRange();
    range.selectNodeContents(one);
    const ends = [...range.getClientRects()].map((line) => line.bottom);
    const apart = Math.max(...ends) - Math.min(...ends);
    if (apart > 8) broken.push(`${one.textContent.trim().slice(0, 40)} ${apart}`);
  }
  return broken;
}"""
"""Ids, words with a tone, heads of columns and buttons that take more than one line of a list."""

SMALL = """(least) => {
  const small = [];
  for (const one of document.querySelectorAll("a, button, select, summary, input")) {
    if (one.type === "hidden" || !one.checkVisibility()) continue;
    if (one.closest(".unseen, .ch-figure, .skip") || one.type === "checkbox") continue;
    const height = one.getBoundingClientRect().height;
    if (height < least - 0.5) small.push(`${one.textContent.trim().slice(0, 30)} ${height}`);
  }
  return small;
}"""
"""What is touched and lower than that many pixels."""
