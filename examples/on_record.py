"""Your own business logic, started by a record: an SCF function of its own with a COS trigger.

The trigger fires for each new object below PREFIX/jobs/ of the ledger's bucket. Nothing is
polled, and the callback handler needs not know. A trigger may fire twice for one object and
out of order, so what is done here is the same when it is done twice: each job has one entry,
and its name is the job's.

Here: for every job that succeeded, an entry with the objects that it wrote, under ready/.
"""

import json
import os
from urllib.parse import unquote

from qcloud_cos import CosConfig, CosS3Client


def cos_client(env):
    """COS with the credentials of this invocation: the platform's expire, so none is kept."""
    ip, _, port = env.get("COS_ENDPOINT", "").removeprefix("http://").partition(":")
    return CosS3Client(
        CosConfig(
            Region=env["COS_REGION"],
            SecretId=env["TENCENTCLOUD_SECRETID"],
            SecretKey=env["TENCENTCLOUD_SECRETKEY"],
            Token=env.get("TENCENTCLOUD_SESSIONTOKEN"),
            Scheme="http" if ip else "https",
            IP=ip or None,  # for tests, as is the port
            Port=int(port) if port else None,
        )
    )


def main_handler(event, context):
    """A COS event in, the number of entries written out. What is raised makes SCF try again."""
    client = cos_client(os.environ)
    written = 0
    for one in event["Records"]:
        # "/appid/bucket/key": the bucket stands there without its appid.
        _, appid, name, key = unquote(one["cos"]["cosObject"]["key"]).split("/", 3)
        bucket = f"{name}-{appid}"
        record = json.loads(client.get_object(Bucket=bucket, Key=key)["Body"].read(2**26))
        entry = entry_of(record)
        if entry is not None:
            client.put_object(
                Bucket=bucket,
                Key=f"ready/{key.rpartition('/')[2]}",
                Body=json.dumps(entry, ensure_ascii=False).encode(),
            )
            written += 1
    return {"written": written}


def entry_of(record):
    """What is kept of a job-record/1 that succeeded; None for any other end."""
    if record["outcome"] != "succeeded":
        return None
    return {
        "job_id": record["job_id"],
        "tag": record["tag"],
        "input": (record["input"] or {}).get("object"),
        "outputs": [output["object"] for output in record["outputs"]],
        "user_data": record["user_data"],
    }
