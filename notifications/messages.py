"""From a notice to the mail that leaves: every letter has the same one form."""

from base64 import encodebytes
from datetime import datetime
from email.header import Header
from email.utils import format_datetime

from notifications.notices import Notice
from notifications.rendering import SENDER_NAME, render
from runtime.clock import SHANGHAI
from runtime.contacts import plain_address
from runtime.settings import settings

CRLF = "\r\n"
BOUNDARY = "=_letter"
"""Between the two forms of a letter: in Base64 there is no such thing (RFC 2045, 6.7)."""


def _encoded(name: str, value: str) -> str:
    """A header's value as words of ASCII (RFC 2047), on as many lines as it takes."""
    return Header(value, "utf-8", header_name=name).encode(linesep=CRLF)


_FROM = _encoded("From", SENDER_NAME)


def message(notice: Notice, to: str, message_id: str, at: datetime) -> bytes:
    """The notice as a mail to one address, as it goes over the wire: 7-bit, text and HTML, marked as sent by a machine.

    ``at`` is when it was queued, so that a mail that is sent again is the same mail. Raises what ``render`` raises,
    and ``AddressError`` for an address that could break out of its header.
    """
    to = plain_address(to)
    rendered = render(notice)
    # EmailMessage would take each of these few headers apart and fold it anew: ten times the work of all else here.
    lines = [
        f"Subject: {_encoded('Subject', rendered.subject)}",
        f"From: {_FROM}",
        f" <{settings().mail_from}>",
        f"To: {to}",
        f"Date: {format_datetime(at.astimezone(SHANGHAI))}",
        f"Message-ID: {message_id}",
        # RFC 3834: no holiday responder shall answer, and ours must not answer those.
        "Auto-Submitted: auto-generated",
        "MIME-Version: 1.0",
        f'Content-Type: multipart/alternative; boundary="{BOUNDARY}"',
        "",
        *_part("plain", rendered.text),
        *_part("html", rendered.html),
        f"--{BOUNDARY}--",
        "",
    ]
    return CRLF.join(lines).encode()


def _part(kind: str, text: str) -> list[str]:
    # Under the Base64, too, lines end in CRLF (RFC 2046, 4.1.1).
    content = CRLF.encode().join([*text.encode().splitlines(), b""])
    return [
        f"--{BOUNDARY}",
        f'Content-Type: text/{kind}; charset="utf-8"',
        "Content-Transfer-Encoding: base64",
        "",
        *encodebytes(content).decode().splitlines(),
    ]
