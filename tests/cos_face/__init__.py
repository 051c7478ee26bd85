"""COS on loopback: moto behind a small face that speaks as COS does."""

from tests.cos_face.face import APPID, BUCKET, REGION, CosFace, Fault

__all__ = ["APPID", "BUCKET", "REGION", "CosFace", "Fault"]
