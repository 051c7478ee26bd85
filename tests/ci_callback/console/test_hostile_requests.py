"""The console answers any request with a page of its own, and acts only on its own forms."""

from __future__ import annotations

from urllib.parse import urlencode, urlsplit

import pytest

from tests.ci_callback.console.test_console import Console

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")

QUERIES = (
    "endpoint=pages.send&values=x",
    "",
    "_method=DELETE&_scheme=javascript&_anchor=x&_external=1",
    "lang=zh",
    "lang=zh&lang=en&lang=%00",
    "text=%ff%fe%ed%a0%80&tag=%00&outcome=" + "x" * 3_000,
    "key=..%2f..%2fetc%2fpasswd&days=1e9&number=-1",
    "days=%d9%a7",
    "since=9999-12-31&until=0001-01-01&by=created&sort=x&page=-1&zone=zh",
    "since=8999-12-31&until=8999-12-31&page=999999999999999999999&fate=%00&hide=%00&to=%00",
    "since=1971-01-01&until=8999-12-31&by=created&fate=recovered",
    "id=%00&first=jobs/dt=2026-11-21/x.json&second=%ff&raw=1&kind=ended&code=%27%22",
    "[]=&=&&%&__class__=x",
)
PATHS = (
    *("/", "/deliveries/1", "/deliveries/0", "/deliveries/" + "9" * 300, "/deliveries/-1"),
    *("/job", "/job/again", "/samples", "/sweeps", "/sweeps/1", "/outbox", "/send", "/charts"),
    *("/charts.css", "/dead", "/dead/..", "/dead/%2e%2e%2fx", "/dead/x%00", "/dead/%ff/replay"),
    *("/events", "/compare", "/retry", "/edited", "/job/edit", "/job/record", "/charts?hide=%ff"),
    *("/deliveries/1/body", "/deliveries/2/request", "/deliveries/1/edit", "/deliveries/2/edit"),
    *("/static/..%2fapp.py", "/static/%2e%2e/app.py", "/nothing", "//evil.example/", "/\\evil"),
)


@pytest.fixture
def used(env: dict[str, str]) -> Console:
    """A console with something on each of its pages."""
    return with_use(Console(env))


@pytest.fixture(scope="module")
def unmoved(tmp_path_factory: pytest.TempPathFactory) -> Console:
    """Such a console for requests that must not change it."""
    ledger = tmp_path_factory.mktemp("unmoved") / "ledger"
    return with_use(Console({"LEDGER_URL": f"file:{ledger}", "LEASE_WAIT_S": "0"}))


def with_use(console: Console) -> Console:
    """The same console, after a callback, a broken one and a sweep."""
    console.send()
    console.function.send(b"<a>broken", "http")
    console.function.tick("sweep", "button")
    return console


@pytest.mark.parametrize(
    "query",
    [QUERIES[0], *(pytest.param(query, marks=pytest.mark.slow) for query in QUERIES[1:])],
    ids=[query[:20] for query in QUERIES],
)
def test_any_request_gets_a_page_and_never_a_fault(unmoved: Console, query: str) -> None:
    """Refused ones too, in every method; each is confined to the console's own origin."""
    before = unmoved.function.history.version
    for path in PATHS:
        for method in METHODS:
            response = unmoved.ask(method, f"{path}?{query}")
            assert response.status_code < 500, (method, path)
            assert "default-src 'none'" in response.headers["Content-Security-Policy"]
            location = response.headers.get("Location", "")
            assert urlsplit(location).netloc in ("", "127.0.0.1:9000"), (method, path)
    assert unmoved.function.history.version == before


HOSTILE_TARGETS = (
    *("//evil.example", "/_/\\evil.example", "/_/..//evil.example", "https://evil.example/_/"),
    *("/_/\r\nSet-Cookie: a=b", "/_/\n", "/_/\0", "/_/\u202e", "/_/ü", "javascript:alert(1)", "/_"),
)


@pytest.mark.parametrize("target", HOSTILE_TARGETS, ids=ascii)
def test_a_button_leads_to_pages_of_the_console_only(used: Console, target: str) -> None:
    """Whatever its form says; a line break would begin another header."""
    form = {"csrf": used.token(), "to": target}
    response = used.ask("POST", "/sweeps", data=form)
    assert (response.status_code, response.headers["Location"]) == (303, "/_/sweeps")


@pytest.mark.parametrize("target", ["/_/", "/_/outbox", "/_/job?key=jobs/dt=2026-01-01/a~2E.json"])
def test_a_button_leads_back_to_the_page_it_is_on(used: Console, target: str) -> None:
    """Its address is in its form."""
    form = {"csrf": used.token(), "to": target}
    assert used.ask("POST", "/sweeps", data=form).headers["Location"] == target


FORMS: tuple[tuple[str, dict[str, str]], ...] = (
    ("/samples", {"name": "../../x", "state": "\ud800", "code": "\x00"}),
    ("/samples", {"name": "Translation", "user_data": "\ud800", "message": "\u202e<b>"}),
    ("/samples", {"name": "Translation", "form": "yaml", "failures": "-1"}),
    ("/deliveries/999/again", {}),
    ("/job/again", {"key": "../../x"}),
    ("/sweeps", {"ticket": "../../x"}),
    ("/sweeps", {"ticket": "9999999999-..-x-retry.json"}),
    ("/dead/..%2fx/replay", {}),
    ("/dead/x%00/replay", {}),
    ("/dead/%E2%80%AE/replay", {}),
    ("/dead/" + "a" * 5_000 + "/replay", {}),
)


@pytest.mark.parametrize(
    ("path", "fields"), FORMS, ids=lambda parameter: str(parameter)[:30].encode().hex()
)
def test_a_form_with_hostile_fields_does_no_harm(
    used: Console, path: str, fields: dict[str, str]
) -> None:
    """It is refused or answered by a page, and every page still renders."""
    form = urlencode({"csrf": used.token(), **fields}, errors="surrogatepass")
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    assert used.ask("POST", path, headers, data=form).status_code in (303, 403, 404)
    for page in ("/", "/sweeps", "/outbox", "/dead", "/send"):
        assert used.get(page)


STRANGE = (
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Host": "evil.example"},
    {"Host": "127.0.0.1.evil.example:9000"},
    {"Host": "127.0.0.1:9000@evil.example"},
    {"Host": "127.0.0.1:9000, evil.example"},
)


@pytest.mark.parametrize("headers", STRANGE, ids=str)
@pytest.mark.parametrize("path", ["/samples", "/sweeps", "/deliveries/1/again", "/dead/a/replay"])
def test_no_button_is_pressed_by_another_site(
    unmoved: Console, headers: dict[str, str], path: str
) -> None:
    """Even with the right token, which such a site can't read; nor by another method or place."""
    token, before = unmoved.token(), unmoved.function.history.version
    assert unmoved.ask("POST", path, headers, data={"csrf": token}).status_code == 403
    for method in ("PUT", "PATCH", "DELETE"):
        assert unmoved.ask(method, path, data={"csrf": token}).status_code == 405
    override = {"X-HTTP-Method-Override": "POST", "X-Method-Override": "POST"}
    unmoved.ask("GET", f"{path}?_method=POST&csrf={token}", override)
    assert unmoved.ask("POST", f"{path}?csrf={token}").status_code == 403
    assert unmoved.ask("POST", path, json={"csrf": token}).status_code == 403
    assert unmoved.function.history.version == before
