"""SCF: functions, their versions, aliases, triggers and settings of asynchronous runs."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ci_callback.cloud_simulator import scf_triggers
from ci_callback.cloud_simulator.cam import Cam
from ci_callback.cloud_simulator.errors import ApiError
from ci_callback.cloud_simulator.faults import Faults
from ci_callback.cloud_simulator.scf_function import (
    DEFAULTS,
    LATEST,
    MAX_ZIP_CREATE,
    MAX_ZIP_UPDATE,
    FromCos,
    Function,
    Version,
    check_settings,
    code_fault,
    code_of,
)

SERVICE = "scf.qcloud.com"
"""Whom an execution role must trust (583/32389)."""
PAGE = 20
RETRIES = range(3)
TTL_S = range(60, 21_601)
ACCOUNT_MB, UNRESERVED_MB = 128_000, 12_800
"""Of all instances of a region; what no quota may take of it (583/39224, 583/45757)."""

Run = Callable[[Function, str, str], "dict[str, Any]"]
"""Function, qualifier and event as JSON → the Result of InvokeFunction."""


def _not_run(function: Function, qualifier: str, event: str) -> dict[str, Any]:
    raise ApiError("UnsupportedOperation", "This simulator runs no code.")


def _no_object(bucket: str, region: str, key: str) -> bytes | None:
    return None


@dataclass
class Scf:
    """The functions of one account in one region, namespace default."""

    faults: Faults
    cam: Cam
    region: str
    from_cos: FromCos = _no_object
    run: Run = _not_run
    functions: dict[str, Function] = field(default_factory=dict)

    def call(self, action: str, params: Mapping[str, Any]) -> dict[str, Any]:
        """Carry out an action whose parameters were checked.

        Raises:
            ApiError
        """
        if params.get("Namespace", "default") != "default":
            raise ApiError("ResourceNotFound.Namespace", "The namespace does not exist.")
        if action == "CreateFunction":
            return self._create(params)
        function = self.functions.get(params["FunctionName"])
        if function is None or function.hidden > 0:
            if function is not None:
                function.hidden -= 1
            raise ApiError("ResourceNotFound.Function", "The function does not exist.")
        return _ACTIONS[action](self, function, params)

    @property
    def host(self) -> str:
        """The end of every function's address."""
        return f"{self.region}.tencentscf.com"

    def _create(self, params: Mapping[str, Any]) -> dict[str, Any]:
        name = params["FunctionName"]
        if name in self.functions:
            raise ApiError("ResourceInUse.Function", f"{name} exists.")
        check_settings(params)
        self._check_role(params.get("Role", ""))
        code = code_of(params["Code"], self.from_cos, MAX_ZIP_CREATE)
        own = {key: value for key, value in params.items() if key in DEFAULTS or key == "Handler"}
        version = Version({**copy.deepcopy(DEFAULTS), **copy.deepcopy(own)}, code)
        fault = "" if self.faults.cls_activated else "CLS is not activated"
        fault = fault or code_fault(code, params.get("Handler", "index.main_handler"))
        then = "CreateFailed" if fault else "Active"
        version.change("Creating", self.faults.activation_reads, then, fault)
        url_id = hashlib.sha256(name.encode()).hexdigest()[:10]
        made = Function(name, version, f"{self.cam.app_id}-{url_id}", hidden=self.faults.read_lag)
        self.functions[name] = made
        return {}

    def _check_role(self, name: str) -> None:
        if not name:
            return
        role = self.cam.roles.get(name)
        if role is not None and self.faults.role_lag > 0:
            self.faults.role_lag -= 1
            role = None
        if role is None:
            raise ApiError("ResourceNotFound.Role", f"The role {name} does not exist.")
        if SERVICE not in role.trust:
            raise ApiError("InvalidParameter.RoleCheck", f"{name} does not trust {SERVICE}.")

    def get(self, function: Function, params: Mapping[str, Any]) -> dict[str, Any]:
        qualifier = params.get("Qualifier", LATEST)
        version = function.version(qualifier)
        version.read()
        public = {**version.settings["PublicNetConfig"]}
        settings = {**version.settings, "PublicNetConfig": public}
        return {
            **settings,
            "FunctionName": function.name,
            "Namespace": "default",
            "FunctionVersion": function.aliases.get(qualifier, qualifier),
            "Qualifier": qualifier,
            "CodeSize": len(version.code),
            "Status": version.status,
            "StatusReasons": _reasons(version),
            "Triggers": [],
        }

    def delete(self, function: Function, params: Mapping[str, Any]) -> dict[str, Any]:
        del self.functions[function.name]
        return {}

    def update_code(self, function: Function, params: Mapping[str, Any]) -> dict[str, Any]:
        function.latest.check_active()
        code = code_of({**params.get("Code", {}), **params}, self.from_cos, MAX_ZIP_UPDATE)
        handler = params.get("Handler", function.latest.settings.get("Handler", ""))
        fault = code_fault(code, handler)
        if fault:
            raise ApiError("FailedOperation.UpdateFunctionCode", fault)
        function.latest.code = code
        function.latest.settings["Handler"] = handler
        function.latest.change("Updating", self.faults.activation_reads)
        return {}

    def update_settings(self, function: Function, params: Mapping[str, Any]) -> dict[str, Any]:
        latest = function.latest
        latest.check_active()
        check_settings(params)
        if params.get("Runtime", latest.settings["Runtime"]) != latest.settings["Runtime"]:
            raise ApiError("InvalidParameterValue.Runtime", "The runtime can't be changed.")
        self._check_role(params.get("Role", ""))
        own = {key: value for key, value in params.items() if key in DEFAULTS}
        # Variables that an update does not name are gone after it.
        latest.settings.update({"Environment": {"Variables": []}, **copy.deepcopy(own)})
        latest.change("Updating", self.faults.activation_reads)
        return {}

    def create_trigger(self, function: Function, params: Mapping[str, Any]) -> dict[str, Any]:
        return scf_triggers.create(function, params, self.host)

    def update_trigger(self, function: Function, params: Mapping[str, Any]) -> dict[str, Any]:
        return scf_triggers.update(function, params, self.host)

    def delete_trigger(self, function: Function, params: Mapping[str, Any]) -> dict[str, Any]:
        function.triggers.remove(scf_triggers.find(function, params))
        return {}

    def list_triggers(self, function: Function, params: Mapping[str, Any]) -> dict[str, Any]:
        begin, count = params.get("Offset", 0), params.get("Limit", PAGE)
        shown = function.triggers[begin : begin + count]
        return {"Triggers": shown, "TotalCount": len(function.triggers)}

    def get_invoke(self, function: Function, params: Mapping[str, Any]) -> dict[str, Any]:
        retry = [{"RetryNum": function.retries}]
        return {"AsyncTriggerConfig": {"RetryConfig": retry, "MsgTTL": function.ttl_s}}

    def update_invoke(self, function: Function, params: Mapping[str, Any]) -> dict[str, Any]:
        wanted = params["AsyncTriggerConfig"]
        retries, ttl_s = wanted["RetryConfig"][0]["RetryNum"], wanted["MsgTTL"]
        if retries not in RETRIES:
            raise ApiError("LimitExceeded.RetryNum", "RetryNum is 0 to 2.")
        if ttl_s not in TTL_S:
            raise ApiError("LimitExceeded.MsgTTL", "MsgTTL is 60 to 21600.")
        function.retries, function.ttl_s = retries, ttl_s
        return {}

    def get_reserved(self, function: Function, params: Mapping[str, Any]) -> dict[str, Any]:
        # Without a quota the member is there all the same (583/51247): "may be null".
        return {"ReservedMem": function.reserved_mb or 0}

    def put_reserved(self, function: Function, params: Mapping[str, Any]) -> dict[str, Any]:
        wanted = params["ReservedConcurrencyMem"]
        others = sum(one.reserved_mb or 0 for one in self.functions.values() if one is not function)
        if wanted + others > ACCOUNT_MB - UNRESERVED_MB:
            raise ApiError("LimitExceeded.FunctionReservedConcurrencyMemory", "It is too much.")
        function.reserved_mb = wanted
        return {}

    def delete_reserved(self, function: Function, params: Mapping[str, Any]) -> dict[str, Any]:
        function.reserved_mb = None
        return {}

    def publish(self, function: Function, params: Mapping[str, Any]) -> dict[str, Any]:
        function.latest.check_active()
        function.published += 1
        number = str(function.published)
        made = Version(copy.deepcopy(function.latest.settings), function.latest.code)
        made.description = params.get("Description", "")
        check_settings({"Description": made.description})
        made.change("Publishing", self.faults.activation_reads)
        function.versions[number] = made
        return {"FunctionVersion": number, "Description": made.description, "Namespace": "default"}

    def list_versions(self, function: Function, params: Mapping[str, Any]) -> dict[str, Any]:
        begin, count = params.get("Offset", 0), params.get("Limit", PAGE)
        everything = [(LATEST, function.latest), *function.versions.items()]
        shown = everything[begin : begin + count]
        rows = [
            {"Version": number, "Description": version.description, "Status": version.status}
            for number, version in shown
        ]
        numbers = [number for number, _ in shown]
        return {"Versions": rows, "FunctionVersion": numbers, "TotalCount": len(everything)}

    def delete_version(self, function: Function, params: Mapping[str, Any]) -> dict[str, Any]:
        number = params["Qualifier"]
        function.version(number)
        if number in function.aliases.values():
            raise ApiError("UnsupportedOperation.AliasBind", "An alias points to it.")
        del function.versions[number]
        return {}

    def get_alias(self, function: Function, params: Mapping[str, Any]) -> dict[str, Any]:
        name = params["Name"]
        if name not in function.aliases:
            raise ApiError("ResourceNotFound.Alias", f"{name} does not exist.")
        return {"Name": name, "FunctionVersion": function.aliases[name]}

    def update_alias(self, function: Function, params: Mapping[str, Any]) -> dict[str, Any]:
        self.get_alias(function, params)
        if function.version(params["FunctionVersion"]).status != "Active":
            code = "FailedOperation.FunctionVersionStatusNotActive"
            raise ApiError(code, "The version is not active yet.")
        function.aliases[params["Name"]] = params["FunctionVersion"]
        return {}

    def address(self, function: Function, params: Mapping[str, Any]) -> dict[str, Any]:
        code = function.version(params.get("Qualifier", LATEST)).code
        return {"Url": "", "CodeSha256": hashlib.sha256(code).hexdigest()}

    def invoke(self, function: Function, params: Mapping[str, Any]) -> dict[str, Any]:
        qualifier = params.get("Qualifier", "$DEFAULT")
        function.version(qualifier).check_active()
        return {"Result": self.run(function, qualifier, params.get("Event", "{}"))}


def _reasons(version: Version) -> list[dict[str, str]]:
    failed = version.status == "CreateFailed"
    return [{"ErrorCode": "CreateFailed", "ErrorMessage": version.reason}] if failed else []


_ACTIONS: Mapping[str, Callable[[Scf, Function, Mapping[str, Any]], dict[str, Any]]] = {
    "CreateTrigger": Scf.create_trigger,
    "DeleteReservedConcurrencyConfig": Scf.delete_reserved,
    "GetReservedConcurrencyConfig": Scf.get_reserved,
    "PutReservedConcurrencyConfig": Scf.put_reserved,
    "DeleteFunction": Scf.delete,
    "DeleteFunctionVersion": Scf.delete_version,
    "DeleteTrigger": Scf.delete_trigger,
    "GetAlias": Scf.get_alias,
    "GetFunction": Scf.get,
    "GetFunctionAddress": Scf.address,
    "GetFunctionEventInvokeConfig": Scf.get_invoke,
    "InvokeFunction": Scf.invoke,
    "ListTriggers": Scf.list_triggers,
    "ListVersionByFunction": Scf.list_versions,
    "PublishVersion": Scf.publish,
    "UpdateAlias": Scf.update_alias,
    "UpdateFunctionCode": Scf.update_code,
    "UpdateFunctionConfiguration": Scf.update_settings,
    "UpdateFunctionEventInvokeConfig": Scf.update_invoke,
    "UpdateTrigger": Scf.update_trigger,
}
