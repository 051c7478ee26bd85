"""Triggers of SCF: timers and function URLs.

A URL's name is its id, whatever the request says, and there is one for each qualifier (583/96099).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from ci_callback.cloud_simulator.errors import ApiError
from ci_callback.cloud_simulator.scf_function import LATEST, Function

STAMP = "2026-01-01 00:00:00"
_TIMER_NAME = re.compile(r"[A-Za-z0-9_-]{1,100}")
_CRON_FIELDS = (5, 7)
OPEN = {"OPEN": 1, "CLOSE": 0}


def create(function: Function, params: Mapping[str, Any], host: str) -> dict[str, Any]:
    """host: the part of the URL's name behind its id.

    Raises:
        ApiError
    """
    function.latest.check_active()
    qualifier = params.get("Qualifier", LATEST)
    function.version(qualifier)
    kind, name = params["Type"], params["TriggerName"]
    if kind == "timer":
        description = _cron(params)
    elif kind == "http":
        name = f"{function.url_id}{'' if qualifier == '$DEFAULT' else qualifier.strip('$').lower()}"
        description = _url(params.get("TriggerDesc", ""), name, host)
    else:
        raise ApiError("InvalidParameterValue.Type", f"{kind} is not modelled.")
    if any(_is(made, kind, name, qualifier) for made in function.triggers):
        raise ApiError("ResourceInUse.Trigger", f"{name} exists.")
    made = {
        "Type": kind,
        "TriggerName": name,
        "TriggerDesc": description,
        "Qualifier": qualifier,
        "Enable": _enabled(params.get("Enable", "CLOSE" if kind == "timer" else "OPEN")),
        "CustomArgument": params.get("CustomArgument", "") if kind == "timer" else "",
        "AvailableStatus": "Available",
        "AddTime": STAMP,
        "ModTime": STAMP,
    }
    function.triggers.append(made)
    return {"TriggerInfo": made}


def update(function: Function, params: Mapping[str, Any], host: str) -> dict[str, Any]:
    """
    Raises:
        ApiError
    """
    function.latest.check_active()
    made = find(function, params)
    if "TriggerDesc" in params:
        is_timer = made["Type"] == "timer"
        text = params["TriggerDesc"]
        made["TriggerDesc"] = _cron(params) if is_timer else _url(text, made["TriggerName"], host)
    if "Enable" in params:
        made["Enable"] = _enabled(params["Enable"])
    if "CustomArgument" in params and made["Type"] == "timer":
        made["CustomArgument"] = params["CustomArgument"]
    return {}


def find(function: Function, params: Mapping[str, Any]) -> dict[str, Any]:
    """
    Raises:
        ApiError: no trigger has that type, name and qualifier.
    """
    key = params["Type"], params["TriggerName"], params.get("Qualifier", LATEST)
    for made in function.triggers:
        if _is(made, *key):
            return made
    raise ApiError("ResourceNotFound.Trigger", f"{params['TriggerName']} does not exist.")


def _is(made: Mapping[str, Any], kind: str, name: str, qualifier: str) -> bool:
    return (made["Type"], made["TriggerName"], made["Qualifier"]) == (kind, name, qualifier)


def _enabled(word: str) -> int:
    if word not in OPEN:
        raise ApiError("InvalidParameterValue.Enable", "Enable is OPEN or CLOSE.")
    return OPEN[word]


def _cron(params: Mapping[str, Any]) -> str:
    if not _TIMER_NAME.fullmatch(params["TriggerName"]):
        raise ApiError("InvalidParameterValue.TriggerName", "The name is wrong.")
    cron = params.get("TriggerDesc", "")
    if len(cron.split()) not in _CRON_FIELDS:
        raise ApiError("InvalidParameterValue.TriggerDesc", "The cron is wrong.")
    return json.dumps({"cron": cron})


def _url(text: str, name: str, host: str) -> str:
    try:
        wanted = json.loads(text)
        auth, net = wanted["AuthType"], wanted["NetConfig"]
    except (ValueError, KeyError, TypeError) as error:
        raise ApiError("InvalidParameterValue.TriggerDesc", "TriggerDesc is wrong.") from error
    if auth not in ("NONE", "CAM"):
        raise ApiError("InvalidParameterValue.TriggerDesc", "AuthType is NONE or CAM.")
    is_open = bool(net.get("EnableExtranet"))
    address = f"{name}.{host}" if is_open else ""
    urls = {
        "ExtranetUrl": f"https://{address}" if is_open else "",
        "ExtranetHTTPUrl": f"http://{address}" if is_open else "",
    }
    shown = {"EnableIntranet": bool(net.get("EnableIntranet")), "EnableExtranet": is_open, **urls}
    return json.dumps({"AuthType": auth, "NetConfig": shown})
