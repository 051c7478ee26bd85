"""Everything that `serve` runs, put together: function, timer, simulator of CI, console."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TextIO, TypeAlias

from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.serving import WSGIRequestHandler, make_server

from ci_callback.console.app import MOUNT, create_console
from ci_callback.console.context import EXTENSION, Keeping
from ci_callback.devserver import loopback
from ci_callback.devserver.history import History
from ci_callback.devserver.http_gateway import HttpGateway
from ci_callback.devserver.local_ci import RUN_S, LocalCi
from ci_callback.devserver.local_function import LocalFunction
from ci_callback.devserver.samples import results_of
from ci_callback.devserver.ticker import Ticker
from handler.errors import HandlerError
from handler.settings import Settings

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

    from ci_callback.devserver.strict import Platform

POLL_S = 0.1
"""How soon the server notices that it is to end."""

HAS_UNIX_PROCESSES = os.name == "posix"

WhichCi: TypeAlias = Literal["auto", "local", "real"]


class CannotServeError(HandlerError):
    """The server can't be started as asked. Says what to do."""


@dataclass(frozen=True)
class Options:
    """How to serve. Times are in seconds; an interval of 0 means never.

    ci_run_s: how long a job runs at the simulator of CI. strict: under SCF's limits. cache: where
    the console keeps its index; None: it is made anew with each start.
    """

    host: str = "127.0.0.1"
    port: int = 9000
    ci: WhichCi = "auto"
    sweep_every_s: float = 60
    reconcile_every_s: float = 1800
    ci_run_s: float = RUN_S
    strict: bool = False
    cache: Path | None = None


@dataclass(frozen=True)
class Running:
    """A server that runs."""

    url: str
    function: LocalFunction
    ci: LocalCi | None

    @property
    def console_url(self) -> str:
        """Where a browser is pointed at."""
        return f"{self.url}{MOUNT}/"


@contextlib.contextmanager
def running(env: Mapping[str, str], options: Options, log: TextIO) -> Iterator[Running]:
    """Serve until the block is left. log: where the function's log goes.

    Raises:
        CannotServeError, SettingsError, StoreError
    """
    settings = Settings.from_env(env)
    is_local = _is_local(settings, options.ci)
    with contextlib.ExitStack() as stack:
        listening = stack.enter_context(_listen(options))
        port = listening.getsockname()[1]
        url = url_of(options.host, port)
        platform = stack.enter_context(_platform(settings, is_local)) if options.strict else None
        ci = None
        if is_local:
            tokens = settings.callback_tokens
            token, cos = tokens[0] if tokens else None, platform.cos if platform else None
            ci = LocalCi(f"{url}/", token, options.ci_run_s, results_of, cos)
            stack.enter_context(ci)
        history, whole = History(), {**env, **(ci.env if ci else {})}
        make = platform.function if platform else LocalFunction
        function = make(whole, history, log, ci)
        keeping = Keeping(options.cache)
        console = create_console(function, port, ci, options.sweep_every_s, keeping)
        stack.callback(console.extensions[EXTENSION].index.index.close)
        application = DispatcherMiddleware(HttpGateway(function, port), {MOUNT: console})
        stack.enter_context(_serving(application, listening, options.host, port))
        if ci:
            stack.callback(ci.rest)  # before the server: it answers what is on its way
        stack.callback(history.close)
        for task, every_s in (
            ("sweep", options.sweep_every_s),
            ("reconcile", options.reconcile_every_s),
            ("forward", options.sweep_every_s if settings.forward_urls else 0),
        ):
            if every_s:
                stack.enter_context(_ticking(function, task, every_s))
        yield Running(url, function, ci)


def _platform(settings: Settings, is_local: bool) -> Platform:
    if not HAS_UNIX_PROCESSES:
        raise CannotServeError("--strict needs Linux or macOS: it limits processes as Unix does")
    # Imported here: its modules are those of Unix.
    from ci_callback.devserver.strict import Platform

    platform = Platform(settings)
    if platform.cos and not is_local:
        raise CannotServeError(
            "--strict with a ledger or spill in a folder goes with --ci local: one address stands "
            "in for COS and CI"
        )
    return platform


def url_of(host: str, port: int) -> str:
    """Without a path. host: an address."""
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _is_local(settings: Settings, asked: WhichCi) -> bool:
    """Whether the simulator is used: always for a folder unless asked otherwise, since a retry on
    the real CI costs money; never for COS, whose endpoint would be the simulator's too."""
    is_folder = settings.ledger_url.scheme == "file" and settings.cos_endpoint is None
    if asked == "local" and not is_folder:
        raise CannotServeError(
            "--ci local goes with a ledger in a folder and without COS_ENDPOINT: on COS the jobs "
            "are the real CI's"
        )
    return is_folder and asked != "real"


@contextlib.contextmanager
def _listen(options: Options) -> Iterator[socket.socket]:
    try:
        loopback.check_address(options.host)
        family = socket.AF_INET6 if ":" in options.host else socket.AF_INET
        listening = socket.create_server((options.host, options.port), family=family)
    except ValueError as error:
        raise CannotServeError(str(error)) from error
    except OSError as error:
        raise CannotServeError(
            f"{options.host} port {options.port}: {error.strerror}; choose another with --port"
        ) from error
    with listening:
        yield listening


@contextlib.contextmanager
def _serving(
    application: WSGIApplication, listening: socket.socket, host: str, port: int
) -> Iterator[None]:
    server = make_server(
        host,
        port,
        _keeping_body(application),
        threaded=True,
        request_handler=_QuietHandler,
        fd=listening.fileno(),
    )
    thread = threading.Thread(target=server.serve_forever, args=(POLL_S,), daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextlib.contextmanager
def _ticking(function: LocalFunction, task: str, every_s: float) -> Iterator[None]:
    ticker = Ticker(every_s, lambda: function.tick(task))
    ticker.start()
    try:
        yield
    finally:
        ticker.stop()


BODY = "ci_callback.body"
"""Where the environ of a request keeps the body of its answer."""


def _keeping_body(application: WSGIApplication) -> WSGIApplication:
    def keep(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        environ[BODY] = application(environ, start_response)
        body: Iterable[bytes] = environ[BODY]
        return body

    return keep


class _QuietHandler(WSGIRequestHandler):
    """Logs nothing: the function's own log says it all. HTTP/1.1, so that an answer without a
    length, such as the console's stream, goes out in chunks."""

    protocol_version = "HTTP/1.1"

    def log(self, *_: object) -> None:
        pass

    def connection_dropped(
        self, error: BaseException, environ: WSGIEnvironment | None = None
    ) -> None:
        """Close the body: werkzeug leaves it open, and with it a file of the console, where the
        reset is met while it reads the rest of the request."""
        close = getattr((environ or {}).get(BODY), "close", None)
        if close:
            close()
