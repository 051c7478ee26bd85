"""The alert channels: with --send-test-alert, one marked message to each by the way of a digest."""

from __future__ import annotations

import secrets

from ci_callback.doctor.case import Case
from ci_callback.doctor.findings import Finding, fault, ok, skipped
from ci_callback.program import PROGRAM
from ci_callback.texts import Texts
from handler.alerts.channels import Transports, channels, send_to_channels
from handler.alerts.digest import Message
from handler.alerts.texts import WORDS


def alerts(case: Case) -> list[Finding]:
    """Who took the message. Nothing is sent unless that was asked for."""
    name = "alert"
    to = channels(case.settings.alert_urls)
    if not to:
        return [skipped(name, "ALERT_URLS is empty")]
    if not case.target.send_test_alert:
        count = "1 channel" if len(to) == 1 else f"{len(to)} channels"
        return [skipped(name, f"{count}, not tried", f"{PROGRAM} doctor --send-test-alert")]
    lang = case.settings.alert_lang
    texts = Texts(lang)
    title = WORDS[lang]["title"].format(texts("test_alert.title"))
    line = texts("test_alert.line", command=f"{PROGRAM} doctor --send-test-alert")
    message = Message(f"doctor-{secrets.token_hex(8)}", title, (line,), lang)
    results = send_to_channels(to, message, Transports(case.http), case.clock())
    findings = []
    for channel in to:
        shown = f"{channel.service} at {channel.label}"
        became = results[channel.id]
        note = f" ({became.reason})" if became.reason else ""
        if became.status == "delivered":
            findings.append(ok(name, f"{shown} accepted the test message{note}"))
        else:
            fix = "copy the address from the robot's own page again, and set ALERT_URLS"
            findings.append(fault(name, f"{shown} did not accept it{note}", fix))
    return findings
