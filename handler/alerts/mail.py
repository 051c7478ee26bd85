"""A message by mail, through smtplib, which is imported at the first use.

An address reads

    smtps://user:password@host:port/?to=a@example.com,b@example.com&from=ci@example.com

with whatever is not plain in it percent-encoded. smtps is TLS from the first byte (port 465
where none is given), smtp is STARTTLS (587): without TLS nothing is sent, but to loopback.
Without `from` the user is the sender where it is an address, else the first recipient.
"""

from __future__ import annotations

import contextlib
import functools
import ipaddress
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.utils import formatdate
from typing import TYPE_CHECKING, Literal, TypeAlias
from urllib.parse import unquote, urlsplit

from handler.alerts.digest import Message, harmless
from handler.errors import HandlerError
from handler.parallel import GRACE_S, within

if TYPE_CHECKING:
    import ssl

MAX_BYTES = 40_000
"""RFC 5321, 4.5.3.1.7: a server must take 64 Ki octets of a message. Base64 and its line
breaks make 55,000 of these, and headers are to fit as well."""

_PORTS = {"smtps": 465, "smtp": 587}  # RFC 8314, section 3
_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9.-]+", re.ASCII)
"""Without quoting and comments: nothing in it can end a header or an SMTP command."""


class MailError(HandlerError):
    """A mail that was not accepted. The message holds nothing of the address but its host."""

    retryable = True


@dataclass(frozen=True)
class MailRoute:
    """Which server a mail goes through, and from whom to whom. Ports and hosts as in the URL."""

    host: str
    port: int
    tls: Literal["at once", "starttls", "none"]
    user: str = field(repr=False)
    password: str = field(repr=False)
    sender: str
    recipients: tuple[str, ...]


Mail: TypeAlias = Callable[[MailRoute, EmailMessage, float], int]
"""Hand a mail to a server within so many seconds; returns how many recipients it refused.
Raises MailError where it accepted the mail for none."""


def read_route(url: str) -> MailRoute:
    """Read a mail address.

    Raises:
        MailError: no mail can be sent by it.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or _PORTS[parts.scheme.lower()]
    except (ValueError, KeyError) as error:
        raise MailError("the mail address can't be read") from error
    pairs = dict(pair.partition("=")[::2] for pair in parts.query.split("&"))
    # Split first, decode then: an encoded comma belongs to the address.
    recipients = tuple(unquote(address) for address in pairs.get("to", "").split(",") if address)
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    default = user if _ADDRESS.fullmatch(user) else next(iter(recipients), "")
    sender = unquote(pairs.get("from", "")) or default
    if not recipients or not all(_ADDRESS.fullmatch(address) for address in (sender, *recipients)):
        raise MailError(f"{host}: ?to=a@b,c@d and &from=e@f must be plain mail addresses")
    if not (user + password).isascii() or not (user + password + "x").isprintable():
        raise MailError(f"{host}: user and password must be printable ASCII")
    tls: Literal["at once", "starttls", "none"] = "none" if _is_loopback(host) else "starttls"
    if parts.scheme.lower() == "smtps":
        tls = "at once"
    return MailRoute(host, port, tls, user, password, sender, recipients)


def compose_mail(route: MailRoute, message: Message, now: float) -> EmailMessage:
    """The mail. Its Message-ID is the message's id, so that a second delivery
    can be recognised."""
    mail = EmailMessage()
    mail["Subject"] = harmless(message.title)
    mail["From"] = route.sender
    mail["To"] = ", ".join(route.recipients)
    mail["Date"] = formatdate(now)
    local = re.sub(r"[^A-Za-z0-9_-]", "-", message.id)
    mail["Message-ID"] = f"<{local}@{route.sender.partition('@')[2]}>"
    mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office answers, please
    # base64: no server along the way can mind the length of lines or 8-bit letters.
    mail.set_content(message.text(MAX_BYTES), cte="base64")
    return mail


def smtp_mail(
    route: MailRoute, mail: EmailMessage, timeout_s: float, trust: ssl.SSLContext | None = None
) -> int:
    """`Mail` through smtplib. trust: checks TLS certificates; None means the system's list."""
    import smtplib

    try:
        return within(timeout_s + GRACE_S, lambda: _hand_over(route, mail, timeout_s, trust))
    except smtplib.SMTPRecipientsRefused as error:
        codes = sorted({str(code) for code, _ in error.recipients.values()})
        raise MailError(f"{route.host}: every recipient refused ({', '.join(codes)})") from error
    except smtplib.SMTPResponseException as error:
        words = error.smtp_error
        said = words.decode("utf-8", "replace") if isinstance(words, bytes) else str(words)
        raise MailError(f"{route.host}: refused with {error.smtp_code} {harmless(said)}") from error
    except smtplib.SMTPNotSupportedError as error:
        raise MailError(f"{route.host}: the server lacks STARTTLS, or AUTH") from error
    except (smtplib.SMTPException, OSError, ValueError) as error:
        raise MailError(f"{route.host}: no mail was accepted ({type(error).__name__})") from error


def _hand_over(
    route: MailRoute, mail: EmailMessage, timeout_s: float, trust: ssl.SSLContext | None
) -> int:
    import smtplib

    # A literal, where smtplib would ask the DNS for its own name and may wait for it.
    me = "[127.0.0.1]"
    if route.tls == "at once":
        trust = trust or _system_trust()
        server: smtplib.SMTP = smtplib.SMTP_SSL(
            route.host, route.port, me, timeout=timeout_s, context=trust
        )
    else:
        server = smtplib.SMTP(route.host, route.port, me, timeout=timeout_s)
    try:
        if route.tls == "starttls":
            server.starttls(context=trust or _system_trust())
        if route.user:
            server.login(route.user, route.password)
        refused = server.send_message(mail)
        # It is taken: however the good-bye goes, it must not be sent again.
        with contextlib.suppress(smtplib.SMTPException, OSError):
            server.quit()
        return len(refused)
    finally:
        server.close()


@functools.cache
def _system_trust() -> ssl.SSLContext:
    """Reading the list of authorities takes 65 ms and more: once a process."""
    import ssl

    return ssl.create_default_context()


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
