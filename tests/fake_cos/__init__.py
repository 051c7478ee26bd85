"""COS on loopback, at its best and at its worst: see service.py for all that it does on demand."""

from ci_callback.ci_simulator.fixtures import APPID, BUCKET, REGION
from handler.ledger.cos import Timing
from tests.fake_cos.faults import LASTING_ERRORS, TRANSIENT_ERRORS, Fault
from tests.fake_cos.seen import Seen
from tests.fake_cos.service import FakeCos

__all__ = [
    "APPID",
    "BUCKET",
    "LASTING_ERRORS",
    "NO_PAUSES",
    "REGION",
    "TRANSIENT_ERRORS",
    "FakeCos",
    "Fault",
    "Seen",
]

NO_PAUSES = Timing(sleep=lambda seconds: None)
"""For a CosStore whose retries follow at once."""
