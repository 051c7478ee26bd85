"""Where the function is to work: its settings and bucket, looked at with the operator's keys."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ci_callback.deploy.errors import EXIT_SETTINGS, DeployError
from ci_callback.deploy.policy import Owner, policy
from ci_callback.doctor import on_store
from ci_callback.doctor.case import Case, Target
from handler.http_client import Http
from handler.ledger.bucket import BucketAddress, Credentials, is_bucket_name
from handler.ledger.store import Store
from handler.settings import Settings


@dataclass
class Operator:
    """Who deploys. cos_endpoint: http://host:port in place of COS, for tests and rehearsals.
    through: the same in place of the function's address."""

    credentials: Credentials
    region: str
    http: Http
    cos_endpoint: str = ""
    through: str = ""
    _settings: Settings | None = field(default=None, init=False, repr=False)

    @property
    def settings(self) -> Settings:
        """Those of the function, with the operator's keys, once they were checked."""
        if self._settings is None:
            raise AssertionError("the settings were checked before")
        return self._settings

    @property
    def store(self) -> Store:
        """The ledger."""
        from handler.ledger.cos import CosStore

        url = self.settings.ledger_url
        place = BucketAddress(url.bucket, url.prefix, self.region, self.settings.cos_endpoint)
        return CosStore(place, self.credentials)

    def put(self, key: str, data: bytes) -> None:
        """Put an object below the ledger's prefix. May raise StoreError."""
        self.store.put(key, data)

    @property
    def accepted_bucket(self) -> str:
        """A bucket whose callbacks the function accepts."""
        allowed = sorted(self.settings.allowed_buckets or ())
        named = (name for name in allowed if is_bucket_name(name))
        return next(named, self.settings.ledger_url.bucket)

    def know(self, settings: Settings) -> Settings:
        """Remember the settings that were checked."""
        self._settings = settings
        return settings


def check_settings(operator: Operator, variables: Mapping[str, str]) -> Settings:
    """The settings of the function, as it will read them, but with the operator's keys.

    Raises:
        SettingsError: it would answer every callback 503.
        DeployError: its ledger is no bucket.
    """
    mine = operator.credentials
    settings = Settings.from_env(
        {
            "COS_ENDPOINT": operator.cos_endpoint,
            **variables,
            "COS_REGION": variables.get("COS_REGION", operator.region),
            "TENCENTCLOUD_RUNENV": "SCF",
            "TENCENTCLOUD_SECRETID": mine.secret_id,
            "TENCENTCLOUD_SECRETKEY": mine.secret_key,
            "TENCENTCLOUD_SESSIONTOKEN": mine.session_token,
        }
    )
    if settings.ledger_url.scheme != "cos":
        fix = "LEDGER_URL=cos://bucket-appid/prefix"
        raise DeployError("LEDGER_URL names a folder, and SCF keeps none", fix, EXIT_SETTINGS)
    return operator.know(settings)


def check_bucket(operator: Operator, settings: Settings, whose: Owner) -> None:
    """
    Raises:
        DeployError: the bucket is another account's, is not there, or has versioning.
    """
    bucket = settings.ledger_url.bucket
    if bucket.rpartition("-")[2] != whose.app_id:
        what = f"{bucket} does not belong to the account of these credentials, {whose.app_id}"
        raise DeployError(what, "use that account's keys, or correct LEDGER_URL", EXIT_SETTINGS)
    case = Case(settings, Target(), operator.http, time.time)
    for finding in [*on_store.store(case), *on_store.versioning(case)]:
        if finding.status == "fault":
            raise DeployError(finding.what, finding.fix, finding.exit)


def policy_of(template: str, settings: Settings, whose: Owner) -> dict[str, Any]:
    """
    Raises:
        DeployError: docs/cam-policy.json has a name that is not known.
    """
    try:
        return policy(template, settings, whose)
    except ValueError as error:
        raise DeployError(str(error), "use the file of this release") from error
