"""A function of SCF in the simulator, and the rules for its settings.

Limits: CreateFunction (583/18586), 583/11637.
"""

from __future__ import annotations

import base64
import binascii
import io
import re
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ci_callback.cloud_simulator.errors import ApiError

LATEST = "$LATEST"
DEFAULT = "$DEFAULT"
MB = 1024 * 1024
MAX_ZIP_CREATE, MAX_ZIP_UPDATE = 50 * MB, 20 * MB
MAX_ENVIRONMENT_BYTES = 4_096
MAX_MEMORY_MB, MEMORY_STEP_MB, SMALL_MEMORY_MB = 3_072, 128, 64
MAX_TIMEOUT_S = 900
INIT_TIMEOUT_S = range(3, 301)
RUNTIMES = ("Python3.7", "Python3.9", "Python3.10", "Python3.12", "Python3.13")
RESERVED = ("SCF_", "QCLOUD_", "TENCENTCLOUD_")

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,58}[A-Za-z0-9]")
_DESCRIPTION = re.compile(r"[A-Za-z0-9 ,.\n\u4e00-\u9fff]{0,1000}")

DEFAULTS: Mapping[str, Any] = {
    "Description": "",
    "MemorySize": 128,
    "Timeout": 3,
    "InitTimeout": 65,
    "Runtime": "Python2.7",
    "Type": "Event",
    "Role": "",
    "InstallDependency": "FALSE",
    "Environment": {"Variables": []},
    "PublicNetConfig": {"PublicNetStatus": "ENABLE"},
    "ClsLogsetId": "",
    "ClsTopicId": "",
    "AsyncRunEnable": "FALSE",
}

FromCos = Callable[[str, str, str], "bytes | None"]
"""Bucket without appid, region and key → the object."""


@dataclass
class Version:
    """Code and settings. reads: how many times it is shown in `status` before it is `then`."""

    settings: dict[str, Any]
    code: bytes
    status: str = "Active"
    then: str = "Active"
    reads: int = 0
    reason: str = ""
    description: str = ""

    def change(self, status: str, reads: int, then: str = "Active", reason: str = "") -> None:
        """Begin a change of state."""
        self.status, self.then, self.reads, self.reason = status, then, reads, reason
        if reads == 0:
            self.status = then

    def read(self) -> None:
        """Be looked at."""
        if self.status != self.then:
            self.reads -= 1
            if self.reads < 0:
                self.status = self.then

    def check_active(self) -> None:
        """
        Raises:
            ApiError: it is being changed, or could not be created.
        """
        if self.status != "Active":
            code = "FailedOperation.FunctionStatusError"
            raise ApiError(code, f"The function is {self.status}.")


@dataclass
class Function:
    """hidden: reads that do not show it yet. url_id: of its addresses."""

    name: str
    latest: Version
    url_id: str
    versions: dict[str, Version] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=lambda: {DEFAULT: LATEST})
    triggers: list[dict[str, Any]] = field(default_factory=list)
    retries: int = 2
    ttl_s: int = 21_600
    reserved_mb: int | None = None
    hidden: int = 0
    published: int = 0

    def version(self, qualifier: str) -> Version:
        """Of an alias, a number or $LATEST.

        Raises:
            ApiError
        """
        number = self.aliases.get(qualifier, qualifier)
        found = self.latest if number == LATEST else self.versions.get(number)
        if found is None:
            raise ApiError("ResourceNotFound.Version", f"{qualifier} does not exist.")
        return found


def code_of(params: Mapping[str, Any], from_cos: FromCos, limit: int) -> bytes:
    """The zip that a request names, inline or on COS.

    Raises:
        ApiError
    """
    if "ZipFile" in params:
        try:
            code = base64.b64decode(params["ZipFile"], validate=True)
        except binascii.Error as error:
            name = "InvalidParameterValue.ZipFileBase64BinasciiError"
            raise ApiError(name, "ZipFile is not base64.") from error
        if len(code) > limit:
            raise ApiError("InvalidParameterValue.ZipFile", f"The zip is over {limit} bytes.")
        return code
    bucket, key = params.get("CosBucketName"), params.get("CosObjectName", "")
    if not bucket or not key.startswith("/"):
        raise ApiError("MissingParameter.Code", "The code is missing.")
    found = from_cos(bucket, params.get("CosBucketRegion", ""), key[1:])
    if found is None:
        raise ApiError("ResourceNotFound.CosObject", "The object does not exist.")
    return found


def code_fault(code: bytes, handler: str) -> str:
    """Why the platform could not unpack or find the code; "" where it could."""
    try:
        names = zipfile.ZipFile(io.BytesIO(code)).namelist()
    except zipfile.BadZipFile:
        return "the code is not a zip"
    entry = f"{handler.partition('.')[0]}.py"
    return "" if entry in names else f"{entry} is not at the root of the zip"


def check_settings(settings: Mapping[str, Any]) -> None:
    """
    Raises:
        ApiError: a value is outside what the platform allows.
    """
    for name, holds in _RULES.items():
        if name in settings and not holds(settings[name]):
            raise ApiError(f"InvalidParameterValue.{name}", f"{name} is out of range.")
    variables = settings.get("Environment", {}).get("Variables", [])
    if any(not pair.get("Key") or not pair.get("Value") for pair in variables):
        raise ApiError("InvalidParameterValue.Environment", "A name or a value is empty.")
    if any(pair["Key"].startswith(RESERVED) for pair in variables):
        raise ApiError("InvalidParameterValue.EnvironmentSystemProtect", "A name is reserved.")
    size = sum(len(f"{pair['Key']}{pair['Value']}".encode()) for pair in variables)
    if size > MAX_ENVIRONMENT_BYTES:
        code = "InvalidParameterValue.EnvironmentExceededLimit"
        raise ApiError(code, f"The environment takes {size} bytes.")


def _is_memory(size: int) -> bool:
    steps = range(MEMORY_STEP_MB, MAX_MEMORY_MB + 1, MEMORY_STEP_MB)
    return size == SMALL_MEMORY_MB or size in steps


_RULES: Mapping[str, Callable[[Any], bool]] = {
    "FunctionName": lambda name: _NAME.fullmatch(name) is not None,
    "Description": lambda text: _DESCRIPTION.fullmatch(text) is not None,
    "MemorySize": _is_memory,
    "Timeout": lambda seconds: 1 <= seconds <= MAX_TIMEOUT_S,
    "InitTimeout": lambda seconds: seconds in INIT_TIMEOUT_S,
    "Runtime": lambda runtime: runtime in RUNTIMES,
}
