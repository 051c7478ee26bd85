"""From the command line and the environment to a job."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from dotenv import dotenv_values

from ci_callback.cloud_api import Cloud
from ci_callback.deploy import bundle, description, files
from ci_callback.deploy.description import PRODUCTION, Names
from ci_callback.deploy.errors import EXIT_SETTINGS, DeployError
from ci_callback.deploy.plan import Choices
from ci_callback.deploy.run import Job
from ci_callback.deploy.target import Operator
from handler.http_client import Http
from handler.ledger.bucket import Credentials, is_region_name

_CREDENTIALS = ("TENCENTCLOUD_SECRETID", "TENCENTCLOUD_SECRETKEY", "TENCENTCLOUD_SESSIONTOKEN")


class Request(NamedTuple):
    """What the command line says. endpoint: http://host:port in place of Tencent Cloud's API."""

    name: str = ""
    stage: str = PRODUCTION
    region: str = ""
    file: Path | None = None
    zip_file: Path | None = None
    endpoint: str = ""


def job_of(
    request: Request, env: Mapping[str, str], http: Http, new_token: str, choices: Choices
) -> tuple[Job, Cloud]:
    """
    Raises:
        DeployError: files, credentials or the environment are not as they must be.
    """
    env = _of_stage(request.stage, env)
    if request.region:
        env = {**env, "COS_REGION": request.region}
    found = files.find(request.file, request.zip_file)
    described = description.read(
        files.text_of(found.description), env, Names(request.name, request.stage)
    )
    if not is_region_name(described.region):
        what = f"{described.region!r} is not the name of a region"
        raise DeployError(what, "COS_REGION=ap-guangzhou, or --region", EXIT_SETTINGS)
    mine = credentials(env)
    job = Job(
        described,
        bundle.read(found.bundle, described.runtime, found.source),
        files.text_of(found.policy),
        Operator(mine, described.region, http, env.get("COS_ENDPOINT", "")),
        new_token,
        choices,
    )
    return job, Cloud(mine, described.region, request.endpoint)


def _of_stage(stage: str, env: Mapping[str, str]) -> Mapping[str, str]:
    """With the values of .env.STAGE before those of .env, which the environment already holds."""
    own = dotenv_values(f".env.{stage}")
    return {**env, **{name: value for name, value in own.items() if value is not None}}


def credentials(env: Mapping[str, str]) -> Credentials:
    """The operator's.

    Raises:
        DeployError: there are none.
    """
    secret_id, secret_key, token = (env.get(name, "").strip() for name in _CREDENTIALS)
    if not secret_id or not secret_key:
        raise DeployError(
            "there are no credentials",
            f"set {_CREDENTIALS[0]} and {_CREDENTIALS[1]}, of a user with the rights that "
            "docs/deploy.md lists",
            EXIT_SETTINGS,
        )
    return Credentials(secret_id, secret_key, token)
