"""Sending what is in the outbox, on schedule and right after a step queued something."""

from contextlib import suppress
from dataclasses import astuple

from notifications.sender import MailNotSetUpError, dispatch

KICKED = 20
"""Notices that are sent at once at the most; the schedule sends the rest within a minute."""
KICK_SECONDS = 10.0
"""For one answer of the mail server."""


def send_notices() -> str:
    """Send what is due, to the last while any leaves; says in Chinese what came of it."""
    done = [dispatch()]
    while done[-1].sent:
        done.append(dispatch())
    sent, retried, dead = (sum(counted) for counted in zip(*map(astuple, done), strict=True))
    return f"发出{sent}封，待重试{retried}封，无法送达{dead}封"


def kick() -> None:
    """Send what was just queued instead of waiting for the schedule; without a mail server it stays queued.

    A few and not for long: whoever kicks (a story's leg, a web request) has something else to do.
    """
    with suppress(MailNotSetUpError):
        dispatch(limit=KICKED, timeout=KICK_SECONDS)
