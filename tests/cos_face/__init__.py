"""COS on loopback: moto behind a small face that speaks as COS does."""

from handler.cli.ci_face.made_up import APPID, BUCKET, REGION, Fault
from tests.cos_face.face import CosFace

__all__ = ["APPID", "BUCKET", "REGION", "CosFace", "Fault"]
