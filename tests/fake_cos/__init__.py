"""COS on loopback: moto behind a small face that speaks as COS does."""

from ci_callback.ci_simulator.fixtures import APPID, BUCKET, REGION, Fault
from tests.fake_cos.face import FakeCos

__all__ = ["APPID", "BUCKET", "REGION", "FakeCos", "Fault"]
