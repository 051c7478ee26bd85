"""The functions of a deployment: one, or three where it is split (ci_callback/deploy/layout.py)."""

from __future__ import annotations

from collections.abc import Sequence

from ci_callback.cloud_api import Cloud, CloudError
from ci_callback.deploy import layout
from ci_callback.doctor.case import Case


def members(cloud: Cloud, case: Case) -> Sequence[str]:
    """The one that is named first. Only this one where it is in another namespace than deploy's, or
    SCF does not show the others."""
    target = case.target
    if target.namespace != "default":
        return (target.function,)
    try:
        return layout.members(cloud, target.function)
    except CloudError:
        return (target.function,)
