"""CI on loopback: its job API over real sockets, and the callbacks that it sends.

For `serve`, and for tests, those of one's own included.
"""

from ci_callback.ci_simulator.fixtures import APPID, BUCKET, REGION, Fault
from ci_callback.ci_simulator.jobs import Accepted, End, Job
from ci_callback.ci_simulator.server import Seen
from ci_callback.ci_simulator.simulator import CiSimulator

__all__ = ["APPID", "BUCKET", "REGION", "Accepted", "CiSimulator", "End", "Fault", "Job", "Seen"]
