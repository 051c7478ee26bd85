"""The function in processes of its own, under the limits and with the habits of SCF.

    with from_source() as code, ScfRunner(code, env) as scf:
        invoked = scf.invoke(event)          # as the function's URL does
        scf.fire(timer_event("sweep", scf.clock()))

For `serve --strict`, and for tests. `Limits` lists the limits, and `not_enforced()` those that this
machine can't enforce. Not modelled: the 512 MB of /tmp, and the 1,024 processes and threads.
"""

from ci_callback.scf_runner.code_folder import Code, from_source, from_zip, read_only
from ci_callback.scf_runner.instance import Instance, Invoked
from ci_callback.scf_runner.limits import MB, Limits
from ci_callback.scf_runner.log_service import LogService, Row
from ci_callback.scf_runner.runner import EnvironmentTooLargeError, ScfRunner, timer_event
from ci_callback.scf_runner.user import not_enforced

__all__ = [
    "MB",
    "Code",
    "EnvironmentTooLargeError",
    "Instance",
    "Invoked",
    "Limits",
    "LogService",
    "Row",
    "ScfRunner",
    "from_source",
    "from_zip",
    "not_enforced",
    "read_only",
    "timer_event",
]
