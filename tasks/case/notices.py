"""Sending what is in the outbox, on schedule and right after a step queued something."""

import time
from contextlib import suppress

from notifications.sender import Dispatched, MailNotSetUpError, dispatch

KICKED = 20
"""Notices that are sent at once at the most; the schedule sends the rest within a minute."""
SEND_SECONDS = 40.0
"""After so long a scheduled sending takes nothing more."""
KICK_SECONDS = 10.0
"""For one answer of the mail server."""


def send_notices() -> str:
    """Send what is due, as much as there is time for until the schedule's next minute; says in Chinese what came of
    it."""
    until, total = time.monotonic() + SEND_SECONDS, Dispatched(0, 0, 0)
    while True:
        sent = dispatch()
        total = Dispatched(total.sent + sent.sent, total.retried + sent.retried, total.dead + sent.dead)
        # A server that takes nothing is not asked again at once.
        if not sent.sent or time.monotonic() > until:
            return f"发出{total.sent}封，待重试{total.retried}封，无法送达{total.dead}封"


def kick() -> None:
    """Send what was just queued instead of waiting for the schedule; without a mail server it stays queued.

    A few and not for long: whoever kicks (a story's leg, a web request) has something else to do.
    """
    with suppress(MailNotSetUpError):
        dispatch(limit=KICKED, timeout=KICK_SECONDS)
