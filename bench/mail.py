"""Mails a second over loopback, from queued notices to what the outbox says of each afterwards, beside aiosmtplib alone
with the same mails, as ``EmailMessage`` and as bytes: ``python -m bench.mail --mails 300 --rounds 5``.

The sink is a process of its own that takes whatever it is given and keeps nothing.
"""

import asyncio
import multiprocessing
import os
import tempfile
import time
from collections.abc import Awaitable, Callable
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP
from itertools import count
from signal import SIGKILL
from typing import Any

import aiosmtplib
from sqlalchemy import delete

from bench.figures import Figure, arguments, noted, save
from ezt.child import end_with
from ezt.samples.notices import EXAMPLES
from ezt.up import free_port
from models.migrations import migrate
from models.notices import OutgoingNotice
from notifications.messages import message
from notifications.outbox import message_id_of, queue
from notifications.sender import dispatch
from runtime import clock
from runtime.database import transaction
from runtime.keys import ensure_keys
from runtime.settings import settings

CONNECTIONS = 8
TO = "bench@example.cn"


async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One connection of the sink."""
    writer.write(b"220 sink\r\n")
    while line := await reader.readline():
        verb = line[:4].upper()
        if verb == b"DATA":
            writer.write(b"354 go on\r\n")
            await reader.readuntil(b"\r\n.\r\n")
        writer.write(b"221 bye\r\n" if verb == b"QUIT" else b"250 taken\r\n")
        if verb == b"QUIT":
            break
    await writer.drain()
    writer.close()


def sink(port: int, listening: Any) -> None:
    """Take mails until somebody ends the process, or the one that started it has ended."""
    end_with(os.getppid(), SIGKILL)

    async def forever() -> None:
        server = await asyncio.start_server(take, "127.0.0.1", port)
        listening.set()
        await server.serve_forever()

    asyncio.run(forever())


Mails = list[EmailMessage] | list[bytes]


async def over_one_connection(port: int, mails: Mails) -> None:
    async with aiosmtplib.SMTP(hostname="127.0.0.1", port=port) as client:
        while mails:
            match mails.pop():
                case bytes(written):
                    await client.sendmail(settings().mail_from, TO, written)
                case mail:
                    await client.send_message(mail)


async def eight(port: int, mails: Mails) -> None:
    await asyncio.gather(*(over_one_connection(port, mails) for _ in range(CONNECTIONS)))


async def one_each(port: int, mails: Mails) -> None:
    while mails:
        await aiosmtplib.send(mails.pop(), hostname="127.0.0.1", port=port)


USUAL = f"aiosmtplib, {CONNECTIONS} connections"
BYTES = f"{USUAL}, bytes"
ALONE: dict[str, Callable[[int, Mails], Awaitable[None]]] = {
    USUAL: eight,
    "aiosmtplib, one connection": over_one_connection,
    "aiosmtplib, one connection a mail": one_each,
    BYTES: eight,
}
ROUNDS = count(1)


def queued(mails: int) -> list[bytes]:
    """Queue so many notices, a case's life over and over; the same mails, made."""
    now, number = clock.now(), next(ROUNDS)
    made = []
    with transaction() as session:
        # What earlier rounds have sent would stay for years; here it would only make the table longer.
        session.execute(delete(OutgoingNotice))
        for place in range(mails):
            notice, key = EXAMPLES[place % len(EXAMPLES)].notice, f"{number}:{place}"
            queue(session, notice, TO, key=key, case_no=None, at=now)
            made.append(message(notice, TO, message_id_of(key, TO), now))
    return made


def main() -> None:
    given = arguments(__doc__, mails=300, rounds=5)
    port, spawn = free_port(), multiprocessing.get_context("spawn")
    listening = spawn.Event()
    server = spawn.Process(target=sink, args=(port, listening))
    server.start()
    took: dict[str, list[float]] = {name: [] for name in (*ALONE, "outbox")}
    failed: dict[str, str] = {}
    try:
        assert listening.wait(60)
        with tempfile.TemporaryDirectory() as home:
            os.environ |= {"EZT_HOME": home, "EZT_SMTP_HOST": "127.0.0.1", "EZT_SMTP_PORT": str(port)}
            os.environ |= {"EZT_SMTP_SECURITY": "none", "EZT_SMTP_CONNECTIONS": str(CONNECTIONS)}
            ensure_keys()
            migrate()
            for _ in range(given.rounds):
                made = queued(given.mails)
                for name, send in ALONE.items():
                    parsed = [message_from_bytes(mail, policy=SMTP) for mail in made]
                    mails = list(made) if name == BYTES else parsed
                    started = time.perf_counter()
                    with noted(failed, name):
                        asyncio.run(send(port, mails))
                    took[name].append(given.mails / (time.perf_counter() - started))
                started, sent = time.perf_counter(), 0
                while done := dispatch().sent:
                    sent += done
                took["outbox"].append(given.mails / (time.perf_counter() - started))
                assert sent == given.mails
    finally:
        server.terminate()
        server.join()
    notes = {
        "outbox": f"{CONNECTIONS} connections; each mail claimed, decrypted, rendered, and marked on disk as sent",
        BYTES: "mails made beforehand and written out as they go over the wire",
    }
    figures = []
    for name, rates in took.items():
        beside, note = None if name == USUAL else USUAL, notes.get(name, "mails made beforehand")
        ended = failed.get(name, "")
        figures.append(Figure(name, "mails/s", given.mails, "mails a round", rates, beside, note, ended))
    save(given.results, "mail", figures)


if __name__ == "__main__":
    main()
