"""A certificate authority of one's own and a server's certificate, made by the command openssl.

COS is reached over TLS in production, so the functions that are measured reach the stub over TLS,
under COS's own names. Each run makes both anew; they are valid for two days.
"""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from tools.environment import StepError

_NEW_KEY = ("-newkey", "rsa:2048", "-nodes")
"""RSA, as the certificates of COS have it."""
_DAYS = ("-days", "2")

BUNDLES = ("certifi/cacert.pem", "botocore/cacert.pem")
"""Where the packages of a peer look for authorities that they trust."""


class Certificates(NamedTuple):
    """Files in PEM. authority: what a client trusts. chain and key: what the server shows."""

    authority: Path
    chain: Path
    key: Path


def make(folder: Path, names: Sequence[str]) -> Certificates:
    """Make an authority, and a certificate of it for a server of these names.

    Raises:
        StepError: there is no openssl command, or it failed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    files = Certificates(folder / "authority.pem", folder / "server.pem", folder / "server.key")
    authority_key, request = folder / "authority.key", folder / "server.csr"
    extensions = folder / "server.ext"
    # Python 3.13 refuses an authority without keyUsage, and a certificate that names no authority.
    alternatives = ",".join(f"DNS:{name}" for name in names)
    extensions.write_text(
        f"subjectAltName={alternatives}\nauthorityKeyIdentifier=keyid\n", encoding="ascii"
    )
    subject = ["-subj", "/CN=An authority for measuring"]
    _openssl(
        ["req", "-x509", *_NEW_KEY, *_DAYS, *subject, "-addext", "keyUsage=critical,keyCertSign"],
        {"-keyout": authority_key, "-out": files.authority},
    )
    _openssl(
        ["req", "-new", *_NEW_KEY, "-subj", "/CN=A server"],
        {"-keyout": files.key, "-out": request},
    )
    _openssl(
        ["x509", "-req", "-CAcreateserial", *_DAYS],
        {
            "-in": request,
            "-CA": files.authority,
            "-CAkey": authority_key,
            "-extfile": extensions,
            "-out": files.chain,
        },
    )
    return files


def trust(folder: Path, authority: Path) -> None:
    """Let the packages in a folder trust an authority besides those that they bring."""
    for name in BUNDLES:
        bundle = folder / name
        if bundle.exists():
            with bundle.open("a", encoding="utf-8") as text:
                text.write("\n" + authority.read_text("ascii"))


def _openssl(words: Sequence[str], files: dict[str, Path]) -> None:
    named = [str(part) for option in files.items() for part in option]
    command = ["openssl", *words, *named]
    try:
        done = subprocess.run(command, check=False, capture_output=True, text=True)
    except FileNotFoundError as error:
        raise StepError("the command openssl is missing; install the package openssl") from error
    if done.returncode != 0:
        raise StepError(f"openssl {words[0]} failed: {done.stderr.strip()[-200:]}")
