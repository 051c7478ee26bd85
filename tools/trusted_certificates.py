"""The certificates of authorities, in a folder as OpenSSL looks them up: each in a file of its own.

Of one file that holds them all, each new TLS context parses every certificate: for certifi's some
140, over 20 ms of a cold start. Of a folder it reads those of a server's chain.
"""

from __future__ import annotations

import re
import subprocess
from collections import Counter
from pathlib import Path

from tools.environment import StepError

_CERTIFICATE = re.compile(
    r"-----BEGIN CERTIFICATE-----\n[A-Za-z0-9+/=\n]+-----END CERTIFICATE-----\n"
)


def split(bundle: Path, folder: Path) -> int:
    """Write each certificate of a PEM file into a new folder, as HASH.NUMBER; how many there are.

    HASH is that of the subject's name (openssl-x509, -subject_hash). NUMBER counts from 0 among
    certificates of one hash. Comments between them are left out.

    Raises:
        StepError: there is no openssl command, or it can't read a certificate, or there is none.
    """
    certificates = _CERTIFICATE.findall(bundle.read_text("utf-8"))
    if not certificates:
        raise StepError(f"{bundle.name} holds no certificate")
    folder.mkdir(parents=True)
    numbers: Counter[str] = Counter()
    for certificate in certificates:
        name = _subject_hash(certificate)
        (folder / f"{name}.{numbers[name]}").write_text(certificate, "ascii")
        numbers[name] += 1
    return len(certificates)


def _subject_hash(certificate: str) -> str:
    command = ["openssl", "x509", "-noout", "-subject_hash"]
    try:
        done = subprocess.run(
            command, input=certificate, check=False, capture_output=True, text=True
        )
    except FileNotFoundError as error:
        raise StepError("the command openssl is missing; install the package openssl") from error
    if done.returncode != 0:
        raise StepError(f"openssl can't read a certificate: {done.stderr.strip()[:200]}")
    return done.stdout.strip()
