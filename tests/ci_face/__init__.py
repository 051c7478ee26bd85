"""CI on loopback: its job API over real sockets, and the callbacks that it sends."""

from tests.ci_face.face import CiFace
from tests.ci_face.jobs import Accepted, End, Job
from tests.ci_face.server import Seen
from tests.cos_face import APPID, BUCKET, REGION, Fault

__all__ = ["APPID", "BUCKET", "REGION", "Accepted", "CiFace", "End", "Fault", "Job", "Seen"]
