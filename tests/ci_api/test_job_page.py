"""job_page.py: one page of CI's list, of which only what is compared is read at once."""

from __future__ import annotations

import pytest

from ci_callback.ci_simulator import CiSimulator
from ci_callback.ci_simulator.fixtures import BUCKET, REGION, SECRET_ID, SECRET_KEY
from handler.callback.envelope import Notice
from handler.callback.families import FAMILIES
from handler.callback.record import Source, normalise
from handler.ci_api.client import Ci, CiAddress, CiError
from handler.ci_api.job_page import Window, page_of
from handler.http_client import Answer, HttpClient
from handler.ledger import keys
from handler.ledger.bucket import Credentials
from handler.retries.reconcile_tag import key_of
from tests.world import START, TRANSLATION

SOURCE = Source("reconcile", "xml", "2026-09-21T00:00:00Z", "r", True)


def xml(*jobs: str, beside: str = "<NextToken>7</NextToken>") -> Answer:
    """A page."""
    inner = "".join(f"<JobsDetail>{job}</JobsDetail>" for job in jobs)
    return Answer(200, f"<Response>{inner}{beside}</Response>".encode())


JOB = (
    "<JobId> j1 </JobId><State>Success</State><Tag>Transcode</Tag>"
    "<CreationTime>2026-09-21T08:00:00+0800</CreationTime><EndTime>{}</EndTime>"
    "<Operation><JobId>no</JobId></Operation>"
)


@pytest.mark.parametrize("end", ["2026-09-21T08:01:00+0800", "-", ""])
def test_the_key_is_that_of_the_whole_record(end: str) -> None:
    """So the ledger is compared with what a callback would have written."""
    page = page_of("list", xml(JOB.format(end)))
    (job,), (detail,) = page.jobs, page.details()
    record = normalise(Notice("job", None, "j1", detail, None), SOURCE)
    assert key_of(job) == keys.record(record) == "jobs/dt=2026-09-21/j1.json"
    assert page.next_token == "7"


def test_only_jobs_that_ended_are_listed() -> None:
    """CI is asked for those only, and may not know the parameter."""
    running = JOB.format("-").replace("Success", "Running")
    assert page_of("list", xml(running, "<State>Success</State>", beside="")).jobs == []
    assert page_of("list", xml(beside="<NextToken/>")).next_token is None


def test_a_page_that_is_no_plain_xml_is_read_as_a_tree() -> None:
    """JSON, and characters that XML forbids."""
    as_json = b'{"Response":{"JobsDetail":[{"JobId":"j1","State":"Failed"}],"NextToken":"3"}}'
    page = page_of("list", Answer(200, as_json))
    assert [job.job_id for job in page.jobs] == ["j1"]
    assert page.next_token == "3"
    odd = xml(JOB.format("-") + "<Message>&#8;</Message>")
    assert [job.job_id for job in page_of("list", odd).jobs] == ["j1"]


@pytest.mark.parametrize(
    "answer",
    [
        Answer(200, b"<html/>"),
        Answer(403, b"<Error><Code>AccessDenied</Code></Error>"),
        Answer(503, b""),
    ],
)
def test_what_is_no_page_is_an_error_of_ci(answer: Answer) -> None:
    """In the words of every other call."""
    with pytest.raises(CiError):
        page_of("list", answer)


def test_a_window_of_the_list() -> None:
    """Its begin is in it and its end is not, however CI reads the two."""
    with CiSimulator(lambda: START + 60) as simulator:
        address = CiAddress(BUCKET, REGION, ("127.0.0.1", simulator.port))
        ci = Ci(HttpClient(), Credentials(SECRET_ID, SECRET_KEY, ""), address)
        for number in range(6):
            job_id = ci.create(FAMILIES["ai"], TRANSLATION).job_id
            assert job_id
            simulator.finish(job_id)
            simulator.jobs[job_id].created_at = START + number
        window = Window(int(START) + 1, int(START) + 4)
        page = ci.list_page(FAMILIES["ai"], "Translation", window, None)
    times = [job.created_at.timestamp() - START for job in page.jobs if job.created_at]
    assert times == [1, 2, 3]
