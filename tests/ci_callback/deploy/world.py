"""An account at the stand-in, a bucket, and a job to deploy into it."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

from ci_callback.cloud_api import Cloud
from ci_callback.cloud_simulator import CloudSimulator
from ci_callback.cloud_simulator.simulator import REGION
from ci_callback.deploy import description, run
from ci_callback.deploy.bundle import Bundle
from ci_callback.deploy.description import Names
from ci_callback.deploy.desired import Desired
from ci_callback.deploy.plan import Choices, Plan
from ci_callback.deploy.run import Job, Outcome, View
from ci_callback.deploy.target import Operator
from handler.http_client import HttpClient
from handler.ledger.bucket import Credentials
from tests.ci_callback.deploy.direct import direct
from tests.ci_callback.doctor_services import DoctorCos

ROOT = Path(__file__).parents[3]
SERVERLESS = (ROOT / "serverless.yml").read_text("utf-8")
POLICY = (ROOT / "docs" / "cam-policy.json").read_text("utf-8")
NAME = "ci-callback"
TOKEN = "t0ken-that-was-made-for-this-test"


def bundle(text: str = "first") -> Bundle:
    """A zip with the entry file."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        entry = zipfile.ZipInfo("index.py")  # at one time, so that the same text is the same zip
        archive.writestr(entry, f"def main_handler(event, context): return {text!r}\n")
    return Bundle(made.getvalue())


class World:
    """Use as a context manager.

    Attributes:
        account: the stand-in. cos: with the ledger's bucket. env: of the operator. plans: each plan
        that was shown. slept: seconds. is_killed: the next pause ends the process.
    """

    is_killed = False

    def __enter__(self) -> World:
        with ExitStack() as stack:
            self.account = stack.enter_context(CloudSimulator())
            stack.enter_context(direct(self.account.endpoint, self.account.answer))
            self.cos = DoctorCos()
            stack.enter_context(self.cos)
            self.http = HttpClient()
            stack.callback(self.http.close)
            self._stack = stack.pop_all()
        self.env: dict[str, str] = {**self.cos.env, "COS_REGION": REGION}
        names = ("TENCENTCLOUD_SECRETID", "TENCENTCLOUD_SECRETKEY")
        self.account.secrets = {self.env[names[0]]: self.env[names[1]]}
        self.plans: list[Plan] = []
        self.slept = 0.0
        return self

    def __exit__(self, *exc: object) -> None:
        self._stack.close()

    @property
    def credentials(self) -> Credentials:
        """The operator's."""
        names = ("TENCENTCLOUD_SECRETID", "TENCENTCLOUD_SECRETKEY", "TENCENTCLOUD_SESSIONTOKEN")
        return Credentials(*(self.env.get(name, "") for name in names))

    @property
    def cloud(self) -> Cloud:
        """The SDK, pointed at the account."""
        return Cloud(self.credentials, REGION, self.account.endpoint)

    def job(
        self,
        text: str = SERVERLESS,
        code: Bundle | None = None,
        choices: Choices | None = None,
        names: Names | None = None,
    ) -> Job:
        """What the command makes of the environment."""
        described = description.read(text, self.env, names or Names())
        operator = Operator(self.credentials, REGION, self.http, self.env["COS_ENDPOINT"])
        made = choices or Choices()
        return Job(described, code or bundle(), POLICY, operator, TOKEN, made)

    def deploy(self, job: Job | None = None) -> Outcome:
        """A whole run."""

        def sleep(seconds: float) -> None:
            self.slept += seconds
            if self.is_killed:
                raise KeyboardInterrupt

        view = View(self._keep, lambda at: None, sleep)
        return run.deploy(job or self.job(), self.cloud, view)

    def look(self, job: Job | None = None) -> Outcome:
        """A dry run."""
        return run.look(job or self.job(), self.cloud, lambda seconds: None)

    def _keep(self, desired: Desired, plan: Plan) -> None:
        self.plans.append(plan)

    @property
    def made(self) -> list[str]:
        """The actions that changed the account."""
        return [asked.action for asked in self.account.writes]

    def forget(self) -> None:
        """What was seen so far."""
        self.account.seen.clear()
        self.plans.clear()

    def state(self) -> Mapping[str, Any]:
        """All that the account holds, in an order of its own."""
        scf, cam = self.account.scf, self.account.cam
        return {
            "roles": {name: [role.trust, len(role.policies)] for name, role in cam.roles.items()},
            "policies": sorted((policy.name, policy.document) for policy in cam.policies.values()),
            "functions": {
                name: {
                    "settings": made.latest.settings,
                    "code": made.latest.code,
                    "status": made.latest.then,
                    "serving": made.version("$DEFAULT").settings,
                    "serves": made.version("$DEFAULT").code,
                    "is_published": made.aliases["$DEFAULT"] != "$LATEST",
                    "triggers": sorted(
                        (one["Type"], one["TriggerName"], one["TriggerDesc"], one["Enable"])
                        for one in made.triggers
                    ),
                    "invoke": (made.retries, made.ttl_s),
                    "reserved": made.reserved_mb,
                }
                for name, made in scf.functions.items()
            },
        }


def with_variables(job: Job, **variables: str) -> Job:
    """The same job with more variables of serverless.yml."""
    whole = {**job.description.variables, **variables}
    return replace(job, description=replace(job.description, variables=whole))
