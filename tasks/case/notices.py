"""Sending what is in the outbox, on schedule and right after a step queued something."""

import time
from contextlib import suppress
from datetime import timedelta

from notifications.sender import Dispatched, MailNotSetUpError, dispatch

KICKED = 20
"""Notices that are sent at once at the most; the schedule sends the rest within a minute."""
SEND_SECONDS = 40.0
"""After so long a scheduled sending takes nothing more."""
SLOW_SERVER = timedelta(minutes=5)
"""A mail server that is slow, or hangs, keeps the next round (系统巡检) waiting no longer."""
KICK_SECONDS = 10.0
"""For one answer of the mail server."""


def send_notices() -> str:
    """Send what is due, as much as there is time for until the schedule's next minute; says in Chinese what came of
    it. Without a mail server it stays queued, which the doctor says."""
    until, total = time.monotonic() + SEND_SECONDS, Dispatched(0, 0, 0)
    while True:
        try:
            sent = dispatch(within=SLOW_SERVER)
        except MailNotSetUpError:
            return "未设置邮件服务器，通知留在发件箱"
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
