"""The limits of SCF, each with the page that it comes from."""

from __future__ import annotations

from dataclasses import dataclass

MB = 1024 * 1024


@dataclass(frozen=True)
class Limits:
    """The limits of one function. Sizes are in bytes, times in seconds.

    memory: resident size of the process; above it the platform ends it with status 434 (64 to
        3,072 MB: 583/11637; status: 583/42611). Default: memorySize of serverless.yml.
    time_s: one invocation; 433 at it (1 to 900 s: 583/11637). Default: timeout of serverless.yml.
    init_s: the load of the code; 443 at it (3 to 300 s: 583/19805). Default: initTimeout there.
    request_bytes: the event of a synchronous invocation; 406 above it (6 MB: 583/11637).
    answer_bytes: its answer; 407 above it (6 MB: 583/11637).
    async_event_bytes: the event of an asynchronous one (128 KB: 583/11637).
    env_bytes: names and values of the environment, together (4 KB: 583/11637).
    open_files: file descriptors (1,024: 583/11637).
    log_line_bytes: the part of a log line that is kept (8 KB, read as 8,000: INTL SCF, log
        delivery configuration).
    log_window_s, log_window_bytes, log_window_lines: what of one request's lines is taken within so
        many seconds (1 MB and 5,000 lines in 5 s: the same page).
    retries: runs after an asynchronous one that failed (RetryNum, 0 to 2, 2 by default: 583/41138,
        UpdateFunctionEventInvokeConfig).
    retry_wait_s: until each of them (a minute: the same).
    """

    memory: int = 256 * MB
    time_s: float = 55.0
    init_s: float = 15.0
    request_bytes: int = 6 * MB
    answer_bytes: int = 6 * MB
    async_event_bytes: int = 128 * 1024
    env_bytes: int = 4 * 1024
    open_files: int = 1024
    log_line_bytes: int = 8_000
    log_window_s: float = 5.0
    log_window_bytes: int = 1_000_000
    log_window_lines: int = 5_000
    retries: int = 2
    retry_wait_s: float = 60.0
