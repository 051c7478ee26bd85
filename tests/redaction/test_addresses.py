"""Which parts of an address are secret: one rule for the log and for the channels."""

from __future__ import annotations

import pytest

from handler.redaction.addresses import url_secrets
from handler.settings import Settings

KEY = "0f1e2d3c-example-key"


@pytest.mark.parametrize(
    ("url", "secrets"),
    [
        (f"https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key={KEY}", {KEY}),
        (f"https://oapi.dingtalk.com/robot/send?access_token={KEY}#secret=SEC", {KEY, "SEC"}),
        (f"https://open.feishu.cn/open-apis/bot/v2/hook/{KEY}#secret=a%2Bb", {KEY, "a%2Bb", "a+b"}),
        ("https://hooks.slack.com/services/T0EXAMPLE/B0EXAMPLE/XyZxYz",
         {"T0EXAMPLE", "B0EXAMPLE", "XyZxYz"}),
        # A segment in the middle, of letters only, is a key as well as the last one.
        ("https://hooks.example.com/hook/onlyletters/send", {"onlyletters"}),
        ("https://hooks.example.com/webhook/services/workflows/", set()),
        ("https://me%40x.cn:p%40ss@hooks.example.com/", {"me%40x.cn", "me@x.cn", "p%40ss", "p@ss"}),
        # As Basic has them in a request's head, which a server may quote.
        ("https://us%40x:p%40ss@hooks.example.com/", {"dXNAeDpwQHNz"}),
        ("https://onlyakey@hooks.example.com/", {"b25seWFrZXk6"}),
        ("smtps://h.example.com/?to=on-call@example.com", {"on-call@example.com"}),
        (f"https://x.example.com/?{KEY}", {KEY}),
        ("https://x.example.com/?token=abc123==", {"abc123=="}),
        (f"https://x.example.com/?v=1&a={KEY}#service=dingtalk", {KEY}),
        (f"apprise:tgram://{KEY}/-100123456", {KEY, "-100123456"}),
        ("apprise:mailto://someone:hunter2@mail.example.com", {"someone", "hunter2"}),
        (f"https://[{KEY}", set()),
    ],
)  # fmt: skip
def test_what_is_secret_in_an_address(url: str, secrets: set[str]) -> None:
    """Keys in the path, the query, before the host and in the fragment; the address as a whole."""
    secret_parts = set(url_secrets(url))

    assert url in secret_parts
    assert secrets <= secret_parts
    assert not {"webhook", "services", "workflows", "cgi-bin", "dingtalk", "v", "1"} & secret_parts


def test_the_log_and_the_channels_follow_one_rule() -> None:
    """Settings list exactly the secrets of each address, RETRY_CALLBACK_URL's included."""
    urls = [f"https://hooks.example.com/hook/letters/send?k={KEY}", "smtp://u:pw1@mail.example.com"]
    callback = "https://f.example.com/callback/?token=retry-token"
    settings = Settings.from_env({"ALERT_URLS": " ".join(urls), "RETRY_CALLBACK_URL": callback})

    for url in (*urls, callback):
        assert set(url_secrets(url)) <= set(settings.secrets)
    assert {"letters", KEY, "pw1", "retry-token"} <= set(settings.secrets)
