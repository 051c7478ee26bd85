"""COS and CI behind one address, as COS_ENDPOINT has them."""

from __future__ import annotations

from ci_callback.ci_simulator import CiSimulator, server
from tests.fake_cos.seen import Seen
from tests.fake_cos.server import ResetError
from tests.fake_cos.service import FakeCos


def is_for_ci(seen: Seen) -> bool:
    """Whether a request is for CI, by its Host."""
    return ".ci." in seen.headers.get("host", "")


class FakeCloud(FakeCos):
    """A FakeCos that hands requests for CI on. ci: who answers those, and may be replaced."""

    def __init__(self, ci: CiSimulator) -> None:
        super().__init__()
        self.ci = ci

    def carry_out(self, seen: Seen) -> tuple[str, dict[str, str], bytes]:
        return self._ask_ci(seen) if is_for_ci(seen) else super().carry_out(seen)

    def _ask_ci(self, seen: Seen) -> tuple[str, dict[str, str], bytes]:
        path = f"/{seen.key}"
        uri = f"{path}?{seen.query}" if seen.query else path
        asked = server.Seen(seen.method, uri, path, seen.query, seen.headers, seen.body)
        try:
            reply = server.hand_on(asked, self.ci.port)
        except server.ResetError:
            raise ResetError from None
        return f"{reply.status} CI", dict(reply.headers), reply.body
