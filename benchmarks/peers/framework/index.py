"""With a framework: pydantic models, Powertools' parser and its idempotency over the same bucket.

Powertools' idempotency imports boto3, so boto3 is the client too. Its persistence layer is made
for DynamoDB and Redis; the one for a bucket is what its documentation has users write.
"""

import datetime
import hmac
import json
import os
import re
from typing import Any

import boto3
import xmltodict
from aws_lambda_powertools.utilities.idempotency import (
    BasePersistenceLayer,
    IdempotencyConfig,
    idempotent_function,
)
from aws_lambda_powertools.utilities.idempotency.exceptions import (
    IdempotencyItemAlreadyExistsError,
    IdempotencyItemNotFoundError,
)
from aws_lambda_powertools.utilities.idempotency.persistence.base import DataRecord
from aws_lambda_powertools.utilities.parser import parse
from botocore.config import Config
from botocore.exceptions import ClientError
from pydantic import BaseModel, ConfigDict

BUCKET = os.environ["BUCKET"]
ENDPOINT = os.environ.get("COS_ENDPOINT")  # the stub over http; over TLS it has COS's names
TOKENS = os.environ["CALLBACK_TOKENS"].split(",")

client = boto3.client(
    "s3",
    region_name=os.environ["COS_REGION"],
    endpoint_url=f"{'http' if ENDPOINT else 'https'}://cos.{os.environ['COS_REGION']}.myqcloud.com",
    aws_access_key_id=os.environ["TENCENTCLOUD_SECRETID"],
    aws_secret_access_key=os.environ["TENCENTCLOUD_SECRETKEY"],
    aws_session_token=os.environ.get("TENCENTCLOUD_SESSIONTOKEN"),
    config=Config(
        s3={"addressing_style": "virtual"},
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        proxies={"http": ENDPOINT} if ENDPOINT else None,  # the stub, in COS's place
    ),
)


def _create_only(params, **_):
    """COS's own header for it, which boto3 does not know."""
    if params["headers"].pop("x-amz-meta-create-only", None):
        params["headers"]["x-cos-forbid-overwrite"] = "true"


client.meta.events.register("before-call.s3.PutObject", _create_only)


class Job(BaseModel):
    model_config = ConfigDict(extra="allow")

    JobId: str
    Tag: str
    State: str
    Code: str | None = None
    Message: str | None = None
    CreationTime: datetime.datetime | None = None
    EndTime: datetime.datetime | None = None
    Input: dict[str, Any] | None = None
    Operation: dict[str, Any] | None = None


class Callback(BaseModel):
    model_config = ConfigDict(extra="allow")

    JobsDetail: list[Job] | Job


class BucketLayer(BasePersistenceLayer):
    """Idempotency records as objects. Without expiry: a bucket's lifecycle rule does that."""

    def _key(self, idempotency_key):
        return f"ci/_idempotency/{idempotency_key}.json"

    def _put(self, record, **more):
        body = {
            "status": record.status,
            "data": record.response_data,
            "at": record.expiry_timestamp,
        }
        key = self._key(record.idempotency_key)
        client.put_object(Bucket=BUCKET, Key=key, Body=json.dumps(body).encode(), **more)

    def _get_record(self, idempotency_key):
        try:
            answer = client.get_object(Bucket=BUCKET, Key=self._key(idempotency_key))
        except client.exceptions.NoSuchKey as error:
            raise IdempotencyItemNotFoundError from error
        kept = json.loads(answer["Body"].read())
        return DataRecord(
            idempotency_key,
            status=kept["status"],
            expiry_timestamp=kept["at"],
            response_data=kept["data"],
        )

    def _put_record(self, data_record):
        try:
            self._put(data_record, Metadata={"create-only": "true"})
        except ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] != 409:
                raise
            raise IdempotencyItemAlreadyExistsError from error

    def _update_record(self, data_record):
        self._put(data_record)

    def _delete_record(self, data_record):
        client.delete_object(Bucket=BUCKET, Key=self._key(data_record.idempotency_key))


class Remaining:
    """SCF's context is a dict; Powertools asks for a method."""

    def __init__(self, context):
        self._ms = context["time_limit_in_ms"]

    def get_remaining_time_in_millis(self):
        return self._ms


config = IdempotencyConfig(event_key_jmespath="[JobId, State]")


@idempotent_function(data_keyword_argument="job", persistence_store=BucketLayer(), config=config)
def keep(job: dict):
    day = (job["CreationTime"] or "1970-01-01")[:10]
    client.put_object(
        Bucket=BUCKET,
        Key=f"ci/jobs/dt={day}/{job['JobId']}.json",
        Body=json.dumps(job, ensure_ascii=False).encode("utf-8"),
        ContentType="application/json",
    )
    return {"job_id": job["JobId"], "state": job["State"]}


def respond(code, **body):
    return {
        "isBase64Encoded": False,
        "statusCode": code,
        "headers": {"Content-Type": "application/json"},
        "body": json.dumps(body),
    }


def read(body):
    if body.lstrip().startswith("<"):
        return xmltodict.parse(body)["Response"]
    try:
        return json.loads(body)
    except ValueError:
        # CI's documents show trailing commas.
        return json.loads(re.sub(r",(\s*[}\]])", r"\1", body))


def main_handler(event, context):
    shown = (event.get("queryString") or {}).get("token", "")
    if not any(hmac.compare_digest(shown, token) for token in TOKENS):
        return respond(401, message="a token is needed")
    config.register_lambda_context(Remaining(context))
    callback = parse(event=read(event["body"]), model=Callback)
    jobs = callback.JobsDetail
    for job in jobs if isinstance(jobs, list) else [jobs]:
        print(json.dumps(keep(job=job.model_dump(mode="json"))))
    return respond(200, status="ok")
