"""A simulator of Tencent Cloud's API 3.0 (SCF, CAM, CLS) on loopback.

    with CloudSimulator() as cloud:
        cloud.endpoint          # for the SDK's HttpProfile, with protocol "http"
        cloud.scf.functions     # what the account holds
        cloud.faults.refuse("CreateFunction", "RequestLimitExceeded")

Each request's signature is verified, and its action and parameters are held against the
description that tccli brings (api.json, rebuilt by `make cloud-api`). So are the answers: the
simulator returns no field that the service does not document.
"""

from ci_callback.cloud_simulator.errors import ApiError
from ci_callback.cloud_simulator.faults import Faults
from ci_callback.cloud_simulator.simulator import Asked, CloudSimulator

__all__ = ["ApiError", "Asked", "CloudSimulator", "Faults"]
