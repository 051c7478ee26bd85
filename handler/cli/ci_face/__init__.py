"""CI on loopback: its job API over real sockets, and the callbacks that it sends.

For `serve`, and for tests, those of one's own included.
"""

from handler.cli.ci_face.face import CiFace
from handler.cli.ci_face.jobs import Accepted, End, Job
from handler.cli.ci_face.made_up import APPID, BUCKET, REGION, Fault
from handler.cli.ci_face.server import Seen

__all__ = ["APPID", "BUCKET", "REGION", "Accepted", "CiFace", "End", "Fault", "Job", "Seen"]
