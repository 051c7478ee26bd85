"""The usual way: parse with xmltodict or json, put one object. The client is made at import, so
that warm invocations share it."""

import hmac
import json
import os
import re

import xmltodict
from qcloud_cos import CosConfig, CosS3Client

BUCKET = os.environ["BUCKET"]
TOKENS = os.environ["CALLBACK_TOKENS"].split(",")
ENDPOINT = os.environ.get("COS_ENDPOINT")  # the stub over http; over TLS it has COS's names


def reached(endpoint):
    if endpoint is None:
        return {}
    host, port = endpoint.removeprefix("http://").split(":")
    return {"Scheme": "http", "IP": host, "Port": int(port)}


client = CosS3Client(
    CosConfig(
        Region=os.environ["COS_REGION"],
        SecretId=os.environ["TENCENTCLOUD_SECRETID"],
        SecretKey=os.environ["TENCENTCLOUD_SECRETKEY"],
        Token=os.environ.get("TENCENTCLOUD_SESSIONTOKEN"),
        **reached(ENDPOINT),
    )
)


def respond(code, **body):
    return {
        "isBase64Encoded": False,
        "statusCode": code,
        "headers": {"Content-Type": "application/json"},
        "body": json.dumps(body),
    }


def parse(body):
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
    callback = parse(event["body"])
    jobs = callback["JobsDetail"]
    for job in jobs if isinstance(jobs, list) else [jobs]:
        record = {
            "job_id": job["JobId"],
            "tag": job["Tag"],
            "state": job["State"],
            "code": job.get("Code"),
            "message": job.get("Message"),
            "created_at": job.get("CreationTime"),
            "ended_at": job.get("EndTime"),
            "input": job.get("Input"),
            "operation": job.get("Operation"),
        }
        day = (job.get("CreationTime") or "1970-01-01")[:10]
        client.put_object(
            Bucket=BUCKET,
            Key=f"ci/jobs/dt={day}/{job['JobId']}.json",
            Body=json.dumps(record, ensure_ascii=False).encode("utf-8"),
            ContentType="application/json",
        )
        print(json.dumps({"job_id": job["JobId"], "state": job["State"]}))
    return respond(200, status="ok")
