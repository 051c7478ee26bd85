"""SCF's API: the triggers of a function (ListTriggers, 583/44268)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from ci_callback.doctor import tc3
from ci_callback.doctor.case import REQUEST_S, Case
from handler.errors import HandlerError

HOST = "scf.tencentcloudapi.com"
VERSION = "2018-04-16"
PAGE = 20
MAX_PAGES = 5
"""A function has at most ten triggers of a type (583/11637)."""


class ScfRefusedError(HandlerError):
    """SCF answered with an error, or with something else than was asked for.

    Attributes:
        code: SCF's own name for the fault; "" where it gave none.
    """

    def __init__(self, code: str, status: int) -> None:
        self.code = code
        super().__init__(code or f"HTTP {status}, and no answer of SCF's")


@dataclass(frozen=True)
class Trigger:
    """One trigger. kind: timer, http, cos, …; settings: its TriggerDesc, as an object."""

    kind: str
    name: str
    is_on: bool
    argument: str
    settings: dict[str, Any]


def triggers(case: Case) -> list[Trigger]:
    """All triggers of the function.

    Raises:
        NoAnswerError
        ScfRefusedError
    """
    all_triggers: list[Trigger] = []
    for _ in range(MAX_PAGES):
        answer = _call(case, "ListTriggers", {"Offset": len(all_triggers), "Limit": PAGE})
        listed = answer.get("Triggers")
        page = (
            [_trigger(values) for values in listed if isinstance(values, dict)]
            if isinstance(listed, list)
            else []
        )
        all_triggers += page
        total = answer.get("TotalCount")
        if not page or not isinstance(total, int) or len(all_triggers) >= total:
            break
    return all_triggers


def _trigger(values: dict[str, Any]) -> Trigger:
    # What was set as OPEN or CLOSE is returned as 1 or 0, and a cron as {"cron": "…"}.
    return Trigger(
        str(values.get("Type") or "").lower(),
        str(values.get("TriggerName") or ""),
        values.get("Enable") in (1, True, "1", "OPEN"),
        str(values.get("CustomArgument") or ""),
        _settings(values.get("TriggerDesc")),
    )


def _settings(description: object) -> dict[str, Any]:
    try:
        read = json.loads(description) if isinstance(description, str) else description
    except ValueError:
        return {"cron": str(description)}
    return read if isinstance(read, dict) else {}


def _call(case: Case, action: str, params: dict[str, Any]) -> dict[str, Any]:
    credentials, region = case.settings.credentials, case.settings.region
    if credentials is None or region is None:
        raise AssertionError("the check has looked")
    target = case.target
    params = {"FunctionName": target.function, "Namespace": target.namespace, **params}
    body = json.dumps(params).encode()
    now = int(case.clock())
    headers = {
        "Host": HOST,
        "Content-Type": tc3.CONTENT_TYPE,
        "X-TC-Action": action,
        "X-TC-Version": VERSION,
        "X-TC-Region": region,
        "X-TC-Timestamp": str(now),
        "Authorization": tc3.authorization(credentials, HOST, body, now),
    }
    if credentials.session_token:
        headers["X-TC-Token"] = credentials.session_token
    url = target.scf_endpoint or f"https://{HOST}"
    answer = case.http.send("POST", f"{url}/", headers, body, REQUEST_S)
    try:
        values = json.loads(answer.body)
        response = values["Response"]
        code = response.get("Error", {}).get("Code", "")
    except (ValueError, RecursionError, TypeError, KeyError, AttributeError) as error:
        raise ScfRefusedError("", answer.status) from error
    if code or answer.status != HTTPStatus.OK:
        raise ScfRefusedError(str(code), answer.status)
    return dict(response)
