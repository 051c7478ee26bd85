"""tools/trusted_certificates.py: a folder that OpenSSL finds certificates in, and only those."""

from __future__ import annotations

import re
import ssl
from pathlib import Path

import pytest

from handler.connections import Connections
from handler.errors import NoAnswerError
from tests.alert_services import self_signed
from tests.peer import peer
from tests.test_connections import PATIENT, tls_request
from tools.environment import StepError
from tools.trusted_certificates import split


def authority(trusting: ssl.SSLContext) -> str:
    """The certificate that a context trusts, as PEM."""
    (der,) = trusting.get_ca_certs(binary_form=True)
    return ssl.DER_cert_to_PEM_cert(der)


def pool_of(folder: Path) -> Connections:
    """Connections that trust the certificates of a folder."""
    return Connections(make_tls_context=lambda: ssl.create_default_context(capath=str(folder)))


def test_a_peer_whose_authority_is_in_the_folder_is_trusted(tmp_path: Path) -> None:
    """OpenSSL finds it by its name. What a bundle says beside the certificates is left out."""
    with self_signed("127.0.0.1") as (server, trusting):
        bundle = tmp_path / "bundle.pem"
        bundle.write_text(f"# An authority\n{authority(trusting)}")
        assert split(bundle, tmp_path / "ca") == 1
        pool = pool_of(tmp_path / "ca")
        with peer(tls=server) as there:
            assert pool.exchange(tls_request(there.port), PATIENT).body == b"hi"
        pool.close()


def test_certificates_of_one_name_are_numbered(tmp_path: Path) -> None:
    """As OpenSSL looks for them: HASH.0, HASH.1."""
    with self_signed("127.0.0.1") as (_, certificate), self_signed("127.0.0.1") as (_, other):
        (tmp_path / "bundle.pem").write_text(authority(certificate) + authority(other))
    assert split(tmp_path / "bundle.pem", tmp_path / "ca") == 2
    first, second = sorted(path.name for path in (tmp_path / "ca").iterdir())
    assert re.fullmatch(r"[0-9a-f]{8}\.0", first)
    assert second == first.removesuffix("0") + "1"


def test_a_peer_of_another_authority_is_refused(tmp_path: Path) -> None:
    """Must raise, although its authority has the same name, and so the same hash."""
    with self_signed("127.0.0.1") as (_, other), self_signed("127.0.0.1") as (server, _trusting):
        bundle = tmp_path / "bundle.pem"
        bundle.write_text(authority(other))
        split(bundle, tmp_path / "ca")
        pool = pool_of(tmp_path / "ca")
        with peer(tls=server) as there, pytest.raises(NoAnswerError) as caught:
            pool.exchange(tls_request(there.port), PATIENT)
        assert there.requests == []
        assert "its TLS certificate is not trusted" in str(caught.value)


def test_a_file_without_certificates_is_an_error(tmp_path: Path) -> None:
    """Must raise: an empty folder would refuse every server."""
    (tmp_path / "bundle.pem").write_text("nothing")
    with pytest.raises(StepError, match=r"bundle\.pem holds no certificate"):
        split(tmp_path / "bundle.pem", tmp_path / "ca")


def test_a_certificate_that_can_not_be_read_is_an_error(tmp_path: Path) -> None:
    """Must raise, with what openssl says."""
    text = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
    (tmp_path / "bundle.pem").write_text(text)
    with pytest.raises(StepError, match=r"openssl can't read a certificate: .+"):
        split(tmp_path / "bundle.pem", tmp_path / "ca")


def test_without_openssl_the_error_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Must raise."""
    text = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
    (tmp_path / "bundle.pem").write_text(text)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(StepError, match="install the package openssl"):
        split(tmp_path / "bundle.pem", tmp_path / "ca")
