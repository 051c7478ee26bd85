"""HTTP outside of COS: bounded in time and size, and silent about addresses."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

import pytest

from handler.errors import HandlerError, NoAnswerError
from handler.http_client import Answer, HttpClient, host_of
from tests.alert_services import KEY, AlertService, MailSink, closed_port, self_signed

QUICK_S = 0.3


@pytest.fixture
def http() -> Iterator[HttpClient]:
    client = HttpClient()
    yield client
    client.close()


@pytest.fixture
def server() -> Iterator[AlertService]:
    with AlertService("webhook") as service:
        service.answer = (200, b"fine")
        yield service


def no_answer(
    http: HttpClient, url: str, timeout_s: float = 5.0, headers: dict[str, str] | None = None
) -> NoAnswerError:
    """The error of a request that must fail."""
    with pytest.raises(NoAnswerError) as raised:
        http.send("POST", url, headers or {}, b"{}", timeout_s)
    return raised.value


@contextmanager
def _full_listener() -> Iterator[int]:
    """A port that neither takes a connection nor refuses it: its queue is full."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        port = listener.getsockname()[1]
        waiting = [socket.socket() for _ in range(4)]
        for client in waiting:
            client.setblocking(False)
            client.connect_ex(("127.0.0.1", port))
        yield port
        for client in waiting:
            client.close()


@contextmanager
def _half_an_answer() -> Iterator[int]:
    """A port that promises a hundred bytes, sends four and hangs up."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()

        def answer() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(65_536)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")

        thread = threading.Thread(target=answer)
        thread.start()
        yield listener.getsockname()[1]
        thread.join()


# --- what goes out and comes back ----------------------------------------------------------


@pytest.mark.parametrize("status", [200, 204, 404, 418, 503])
def test_an_answer_is_status_and_body(http: HttpClient, server: AlertService, status: int) -> None:
    """What a server answers comes back as it is: no status is an error here."""
    server.answer = (status, b"" if status == 204 else b"words")

    answer = http.send("POST", server.url, {}, b"", 5)

    assert answer == Answer(status, b"" if status == 204 else b"words")


def test_a_request_goes_out_as_it_is_given(http: HttpClient, server: AlertService) -> None:
    """Method, path, query, headers and body are the caller's; the fragment stays here."""
    http.send("PUT", f"{server.bare_url}?a=1&b=%20#secret=s", {"X-One": "1"}, b"\x00body", 5)

    [request] = server.received
    assert (request.method, request.path) == ("PUT", f"/alerts/{KEY}?a=1&b=%20")
    assert request.body == b"\x00body"
    assert request.headers["x-one"] == "1"
    assert request.headers["user-agent"].startswith("ci-callback-handler/")
    assert request.headers["accept-encoding"] == "identity"


def test_user_and_password_become_basic_authorization(
    http: HttpClient, server: AlertService
) -> None:
    """A webhook behind Basic authentication can be reached."""
    http.send("POST", server.bare_url.replace("//", "//me:open-sesame@"), {}, b"", 5)

    assert server.received[0].headers["authorization"] == "Basic bWU6b3Blbi1zZXNhbWU="


def test_cookies_are_forgotten(http: HttpClient, server: AlertService) -> None:
    """A server's Set-Cookie never comes back to it, though the session is kept."""
    for _ in range(2):
        http.send("POST", server.url, {}, b"", 5)

    assert [request.headers.get("cookie") for request in server.received] == [None, None]


def test_a_redirect_is_an_answer(http: HttpClient, server: AlertService) -> None:
    """A 307 is not followed: what is secret in a request goes to no other host."""
    with AlertService("webhook") as elsewhere:
        server.redirect_to = elsewhere.bare_url

        assert http.send("POST", server.url, {}, b"{}", 5).status == 307
        assert elsewhere.received == []


def test_proxies_and_netrc_of_the_environment_have_no_say(
    http: HttpClient,
    server: AlertService,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """With a proxy set that does not even exist, a request still goes straight to its host."""
    netrc = tmp_path_factory.mktemp("home") / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password from-netrc\n")
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{closed_port()}")
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NETRC", str(netrc))

    assert http.send("POST", server.url, {}, b"{}", 5).status == 200
    assert "authorization" not in server.received[0].headers


def test_an_answer_is_read_up_to_a_limit(http: HttpClient, server: AlertService) -> None:
    """64 KiB of an answer are read, or as much as the caller says."""
    server.answer = (200, b"x" * 1_000_000)
    short = HttpClient(max_bytes=10)

    assert http.send("POST", server.url, {}, b"", 5).body == b"x" * 65_536
    assert short.send("POST", server.url, {}, b"", 5).body == b"x" * 10
    short.close()


def test_threads_share_a_client(http: HttpClient, server: AlertService) -> None:
    """Sixteen requests at the same moment each get their own answer."""
    answers: list[Answer] = []
    threads = [
        threading.Thread(target=lambda: answers.append(http.send("POST", server.url, {}, b"", 5)))
        for _ in range(16)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert answers == [Answer(200, b"fine")] * 16


def test_a_closed_client_opens_anew(server: AlertService) -> None:
    """Closing drops connections, before the first of them too; the client stays of use."""
    client = HttpClient()
    client.close()
    for _ in range(2):
        assert client.send("POST", server.url, {}, b"", 5).status == 200
        client.close()


# --- no answer -----------------------------------------------------------------------------


def test_without_a_connection_nothing_has_arrived(http: HttpClient) -> None:
    """A refused connection is the one case in which the request is known not to have left."""
    error = no_answer(http, f"http://127.0.0.1:{closed_port()}/{KEY}")

    assert isinstance(error, HandlerError)
    assert error.retryable
    assert error.may_have_arrived is False
    assert str(error) == "127.0.0.1: no connection: refused"


def test_a_connection_that_is_never_made_counts_as_none(http: HttpClient) -> None:
    """A host that does not even refuse: the time-out is one of the connection."""
    # A listener whose queue is full drops what knocks, as a silent host does.
    with _full_listener() as port:
        error = no_answer(http, f"http://127.0.0.1:{port}/{KEY}", QUICK_S)

    assert error.may_have_arrived is False
    assert str(error) == f"127.0.0.1: no connection within {QUICK_S} s"


def test_a_host_that_does_not_exist_is_no_connection(http: HttpClient) -> None:
    """A name that can't be looked up (.invalid never can) is told as such."""
    error = no_answer(http, f"http://nowhere.invalid/{KEY}", 1)

    assert error.may_have_arrived is False
    assert error.stage == "name"
    assert str(error).startswith("nowhere.invalid: its name ")


def test_a_reset_may_come_after_the_deed(http: HttpClient, server: AlertService) -> None:
    """A connection that is cut once the request was read may have done its work."""
    server.reset = True

    error = no_answer(http, server.url)

    assert len(server.received) == 1
    assert error.may_have_arrived is True
    assert str(error) == "127.0.0.1: the connection broke"


def test_a_late_answer_is_none(http: HttpClient, server: AlertService) -> None:
    """A server that takes its time is left alone after the time-out."""
    server.delay_s = 5

    error = no_answer(http, server.url, QUICK_S)

    assert error.stage == "time"
    assert error.may_have_arrived is True
    assert str(error) == f"127.0.0.1: no whole answer within {QUICK_S} s"


@pytest.mark.parametrize("part", ["headers", "body"])
def test_an_answer_that_drips_is_cut_off(
    http: HttpClient, server: AlertService, part: Literal["headers", "body"]
) -> None:
    """A byte now and then never runs into a socket's time-out; the bound is on the whole."""
    server.drip = part

    error = no_answer(http, server.url, QUICK_S)

    assert str(error) == f"127.0.0.1: no whole answer within {QUICK_S} s"


def test_no_more_is_waited_for_than_is_read(server: AlertService) -> None:
    """Once the limit is reached the answer is there, though the server goes on."""
    server.drip = "body"
    client = HttpClient(max_bytes=3)

    assert client.send("POST", server.url, {}, b"", 5) == Answer(200, b"xxx")
    client.close()


def test_an_answer_that_stops_half_way_is_none(http: HttpClient, server: AlertService) -> None:
    """A body shorter than its Content-Length never reads as a whole one."""
    with _half_an_answer() as port:
        error = no_answer(http, f"http://127.0.0.1:{port}/")

    assert error.may_have_arrived is True


def test_what_is_not_http_is_no_answer(http: HttpClient) -> None:
    """A server that speaks something else (here: mail) gives no answer."""
    with MailSink() as sink:
        error = no_answer(http, f"http://127.0.0.1:{sink.port}/")

    assert error.may_have_arrived is True
    assert str(error) == "127.0.0.1: the answer is not HTTP"


def test_a_certificate_that_nobody_vouches_for_is_refused(http: HttpClient) -> None:
    """Nothing is sent to a host whose TLS certificate is not trusted."""
    with (
        self_signed("127.0.0.1") as (server_side, _),
        MailSink("at once", server_side) as sink,
    ):
        error = no_answer(http, f"https://127.0.0.1:{sink.port}/{KEY}")

    assert error.may_have_arrived is False
    assert error.stage == "tls"
    assert str(error).startswith("127.0.0.1: its TLS certificate is not trusted (")


def test_tls_to_a_server_without_it_fails(http: HttpClient, server: AlertService) -> None:
    """https where http is spoken is told as a matter of TLS."""
    error = no_answer(http, server.url.replace("http://", "https://"))

    assert str(error) == "127.0.0.1: TLS failed"


@pytest.mark.parametrize(
    "url", ["ftp://example.com/x", "http://", "http://[::1", "http://a b/", "http://h:port/"]
)
def test_an_address_that_is_none_sends_nothing(http: HttpClient, url: str) -> None:
    """A malformed address is told without being shown."""
    error = no_answer(http, url)

    assert error.may_have_arrived is False
    assert "not sent" in str(error)


@pytest.mark.parametrize("value", ["a\r\nX-Injected: 1", "配"])
def test_a_header_that_is_none_sends_nothing(
    http: HttpClient, server: AlertService, value: str
) -> None:
    """No header can start another one, and none holds what headers can't."""
    error = no_answer(http, server.url, headers={"webhook-id": value})

    assert error.may_have_arrived is False
    assert server.received == []


def test_an_error_never_shows_more_than_the_host(http: HttpClient, server: AlertService) -> None:
    """Path, query, user and password are keys: they stay out of the message and its cause's."""
    server.reset = True

    error = no_answer(http, f"http://user:{KEY}@127.0.0.1:{server.port}/{KEY}?key={KEY}")

    assert KEY not in str(error)
    assert "user" not in str(error)


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://user:pass@Example.com:8443/path?x#y", "example.com"),
        ("https://[2001:db8::1]/", "2001:db8::1"),
        ("nonsense", "?"),
        ("http://[", "?"),
    ],
)
def test_the_host_of_an_address(url: str, host: str) -> None:
    """The host alone is shown; a question mark where there is none to be seen."""
    assert host_of(url) == host


def test_a_plain_request_imports_no_library(server: AlertService) -> None:
    """Nor certificates, nor a pool of threads: an import is a part of a cold start."""
    program = (
        "import sys, handler.http_client\n"
        f"handler.http_client.HttpClient().send('POST', {server.bare_url!r}, {{}}, b'', 5)\n"
        "print([m for m in ('requests', 'urllib3', 'certifi', 'concurrent') if m in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)

    assert result.stdout.strip() == b"[]"
