"""The stub's certificate: a client that trusts its authority takes it, and no other does."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks import certificates, trees
from benchmarks.certificates import Certificates
from benchmarks.processes import BUCKET, REGION, Stub
from tools.environment import StepError

HOST = f"{BUCKET}.cos.{REGION}.myqcloud.com"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """Files of one run."""
    return certificates.make(tmp_path_factory.mktemp("certificates"), trees.NAMES)


@pytest.fixture(scope="module")
def port(made: Certificates) -> Iterator[int]:
    """The stub's port for TLS."""
    with Stub(made) as stub:
        yield int(stub.tls_env["STUB_TLS_PORT"])


def shake_hands(port: int, trusted: Path, host: str) -> str | None:
    """Connect as a client of `host`; the version of TLS."""
    import socket

    context = ssl.create_default_context(cafile=str(trusted))
    with (
        socket.create_connection(("127.0.0.1", port)) as plain,
        context.wrap_socket(plain, server_hostname=host) as encrypted,
    ):
        return encrypted.version()


@pytest.mark.parametrize("host", [HOST, f"media-1250000000.ci.{REGION}.myqcloud.com"])
def test_the_stub_has_the_names_of_cos_and_ci(made: Certificates, port: int, host: str) -> None:
    """As in production, under the newest version of TLS."""
    assert shake_hands(port, made.authority, host) == "TLSv1.3"


def test_who_does_not_trust_the_authority_is_not_connected(
    made: Certificates, port: int, tmp_path: Path
) -> None:
    """Else the figures would be of functions that check nothing."""
    other = certificates.make(tmp_path / "other", trees.NAMES)
    with pytest.raises(ssl.SSLCertVerificationError):
        shake_hands(port, other.authority, HOST)
    with pytest.raises(ssl.SSLCertVerificationError):
        shake_hands(port, made.authority, "cos.example.com")


def test_packages_trust_the_authority_besides_their_own(made: Certificates, tmp_path: Path) -> None:
    """Those that a folder holds; the others are not made."""
    bundle = tmp_path / "certifi" / "cacert.pem"
    bundle.parent.mkdir()
    bundle.write_text("# their own\n")
    certificates.trust(tmp_path, made.authority)
    assert bundle.read_text() == "# their own\n\n" + made.authority.read_text()
    assert not (tmp_path / "botocore").exists()


def test_a_missing_command_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With what to install."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(StepError, match="install the package openssl"):
        certificates.make(tmp_path, trees.NAMES)


def test_a_command_that_fails_says_why(tmp_path: Path) -> None:
    """Such as one that can't write."""
    (tmp_path / "authority.key").mkdir()
    with pytest.raises(StepError, match="openssl req failed"):
        certificates.make(tmp_path, trees.NAMES)
