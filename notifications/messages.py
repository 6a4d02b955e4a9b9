"""From a notice to the mail or the text message that leaves: every letter has the same one form."""

from base64 import encodebytes
from datetime import datetime
from email.header import Header
from email.utils import format_datetime

from notifications.notices import Notice
from notifications.rendering import SENDER_NAME, render, whom_to_ask
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


def text_message(notice: Notice) -> str:
    """What a text message says of a notice: its subject, and where the whole of it can be read, or the code that it
    brings. It lies open on a phone and holds nothing else. Raises what ``render`` raises."""
    # How it ended is nobody's to read on a locked phone.
    subject = render(notice).subject.partition("：")[0]
    link, code = getattr(notice, "link", ""), getattr(notice, "code", "")
    if code:
        return f"{SENDER_NAME}：{subject}。验证码{code}，明天以前有效；不是您要求的，请不要理会。"
    asked = f"咨询电话{settings().contact_phone}。" if settings().contact_phone else ""
    return f"{SENDER_NAME}：{subject}。" + (f"全文请看 {link} ，请勿转发。{asked}" if link else whom_to_ask())


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
