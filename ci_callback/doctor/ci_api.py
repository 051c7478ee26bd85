"""The questions to CI that no other part of the function asks: its queues, its buckets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import urlencode

from ci_callback.doctor.case import REQUEST_S, Case
from handler.callback.tree import Tree
from handler.ci_api.client import CiError
from handler.ci_api.responses import response_of
from handler.ci_api.signing import Signer, to_xml
from handler.errors import HandlerError, NoAnswerError


class NoBucketError(HandlerError):
    """Nothing says which CI to ask."""


def place(case: Case) -> tuple[str, str]:
    """Bucket and region that CI is asked for.

    Raises:
        NoBucketError
    """
    settings = case.settings
    bucket = settings.ci_bucket or settings.ledger_url.bucket
    if not bucket or not settings.region:
        raise NoBucketError("the ledger is a folder, and CI_BUCKET and COS_REGION name no CI")
    if settings.credentials is None:
        raise NoBucketError("there are no credentials to ask CI with")
    return bucket, settings.region


def ask(case: Case, path: str, params: Mapping[str, str], host: str = "") -> dict[str, Tree]:
    """GET a path; returns the nodes below <Response>. host: CI's for the bucket where it is "".

    Raises:
        NoBucketError
        CiError
    """
    return _send(case, "GET", _Target(path, params, host), b"")


def put(case: Case, path: str, tree: dict[str, Tree]) -> dict[str, Tree]:
    """PUT a tree as XML; returns the nodes below <Response>.

    Raises:
        NoBucketError
        CiError
        NotWritableError
    """
    return _send(case, "PUT", _Target(path), to_xml(tree))


class _Target(NamedTuple):
    path: str
    params: Mapping[str, str] = {}
    host: str = ""


def _send(case: Case, method: str, target: _Target, body: bytes) -> dict[str, Tree]:
    path, params, host = target
    bucket, region = place(case)
    credentials, endpoint = case.settings.credentials, case.settings.cos_endpoint
    if credentials is None:
        raise AssertionError("place() has looked")
    host = host or f"{bucket}.ci.{region}.myqcloud.com"
    base = f"http://{endpoint[0]}:{endpoint[1]}" if endpoint else f"https://{host}"
    query = f"?{urlencode(params)}" if params else ""
    headers = Signer(credentials, region).headers(method, host, path, params, body)
    operation = path.strip("/")
    try:
        answer = case.http.send(method, f"{base}{path}{query}", headers, body, REQUEST_S)
    except NoAnswerError as error:
        raise CiError(operation, f"no answer from {error}") from error
    return response_of(operation, answer)
