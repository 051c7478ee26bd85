"""From the command line and the environment to a job."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from dotenv import dotenv_values

from ci_callback.ci_simulator.fixtures import SECRET_ID, SECRET_KEY
from ci_callback.cloud_api import Cloud
from ci_callback.deploy import bundle, description, files
from ci_callback.deploy.description import PRODUCTION, Description, Names
from ci_callback.deploy.errors import EXIT_SETTINGS, EXIT_UNREACHABLE, DeployError
from ci_callback.deploy.plan import Choices
from ci_callback.deploy.run import Job
from ci_callback.deploy.target import Operator
from handler.http_client import Http
from handler.ledger.bucket import Credentials, is_region_name

REACH_S = 3.0

_CREDENTIALS = ("TENCENTCLOUD_SECRETID", "TENCENTCLOUD_SECRETKEY", "TENCENTCLOUD_SESSIONTOKEN")


class Request(NamedTuple):
    """The options of the command line. to: http://127.0.0.1:PORT in place of Tencent Cloud."""

    name: str = ""
    stage: str = PRODUCTION
    region: str = ""
    to: str = ""
    file: Path | None = None
    zip_file: Path | None = None


@dataclass(frozen=True)
class Session:
    """Needed by every command: the description, the operator, and the account."""

    request: Request
    description: Description
    operator: Operator
    cloud: Cloud = field(repr=False)

    def local_bundle(self) -> str:
        """The SHA-256 of the bundle on this machine; "" without one."""
        try:
            found = files.find(self.request.file, self.request.zip_file)
            return bundle.read(found.bundle, self.description.runtime, None).sha256
        except DeployError:
            return ""

    def job(self, new_token: str, choices: Choices) -> Job:
        """
        Raises:
            DeployError: the bundle or the policy is not as it must be.
        """
        found = files.find(self.request.file, self.request.zip_file)
        return Job(
            self.description,
            bundle.read(found.bundle, self.description.runtime, found.source),
            files.text_of(found.policy),
            self.operator,
            new_token,
            choices,
        )


def session(request: Request, env: Mapping[str, str], http: Http) -> Session:
    """
    Raises:
        DeployError: the description, the credentials or the environment are not as they must be.
    """
    to = rehearsal(request.to)
    env = _of_stage(request.stage, env)
    if request.region:
        env = {**env, "COS_REGION": request.region}
    found = files.find(request.file, request.zip_file)
    names = Names(request.name, request.stage)
    described = description.read(files.text_of(found.description), env, names)
    if not is_region_name(described.region):
        what = f"{described.region!r} is not the name of a region"
        raise DeployError(what, "COS_REGION=ap-guangzhou, or --region", EXIT_SETTINGS)
    mine = Credentials(SECRET_ID, SECRET_KEY, "") if to else credentials(env)
    endpoint = to or env.get("COS_ENDPOINT", "")
    operator = Operator(mine, described.region, http, endpoint, to)
    return Session(request, described, operator, Cloud(mine, described.region, to))


def rehearsal(to: str) -> str:
    """The address of a rehearsal: this machine's, since it goes by plain http; "" for none.

    Raises:
        DeployError: it is another machine's, or nothing listens there.
    """
    if not to:
        return ""
    try:
        parts = urlsplit(to)
        host, port = parts.hostname or "", parts.port
        is_own = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        is_own, port = False, None
    if not is_own or port is None or parts.scheme != "http":
        fix = "--to http://127.0.0.1:PORT, as `serve --cloud` prints it"
        raise DeployError("--to is no address of this machine", fix, EXIT_SETTINGS)
    try:
        # Before any call: each would be repeated for a minute.
        socket.create_connection((host, port), REACH_S).close()
    except OSError as error:
        what = f"nothing answers at {to}"
        raise not_there(to, what) from error
    return f"http://{parts.netloc}"


def not_there(to: str, what: str) -> DeployError:
    """The error of a rehearsal without an answer, with what to do."""
    fix = f"`serve --cloud` must run at {to}: start it in another terminal"
    return DeployError(what, fix, EXIT_UNREACHABLE)


def rehearsal_env(to: str, env: Mapping[str, str]) -> dict[str, str]:
    """An environment whose COS and CI are those of a rehearsal, with its keys. May raise
    DeployError."""
    keys = dict(zip(_CREDENTIALS, (SECRET_ID, SECRET_KEY, ""), strict=True))
    return {**env, **keys, "COS_ENDPOINT": rehearsal(to)}


def _of_stage(stage: str, env: Mapping[str, str]) -> Mapping[str, str]:
    """What .env.STAGE says goes before the environment, which holds that of .env already."""
    own = dotenv_values(f".env.{stage}")
    return {**env, **{name: value for name, value in own.items() if value is not None}}


def credentials(env: Mapping[str, str]) -> Credentials:
    """The operator's.

    Raises:
        DeployError: they are not set.
    """
    secret_id, secret_key, token = (env.get(name, "").strip() for name in _CREDENTIALS)
    if not secret_id or not secret_key:
        raise DeployError(
            "there are no credentials",
            f"set {_CREDENTIALS[0]} and {_CREDENTIALS[1]}, of a user with the "
            "permissions that docs/deploy.md lists",
            EXIT_SETTINGS,
        )
    return Credentials(secret_id, secret_key, token)
